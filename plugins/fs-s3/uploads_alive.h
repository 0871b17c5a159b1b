// SPDX-License-Identifier: Apache-2.0
//
// Uploads of this process that somebody is about to complete or to take back. Any thread.
#pragma once

#include <mutex>
#include <set>
#include <string>

namespace fs_s3 {

class UploadsAlive {
 public:
  void add(const std::string& id) {
    const std::lock_guard lock(mutex_);
    ids_.insert(id);
  }
  void remove(const std::string& id) {
    const std::lock_guard lock(mutex_);
    ids_.erase(id);
  }
  bool has(const std::string& id) {
    const std::lock_guard lock(mutex_);
    return ids_.contains(id);
  }

 private:
  std::mutex mutex_;
  std::set<std::string> ids_;
};

}  // namespace fs_s3
