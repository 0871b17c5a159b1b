// SPDX-License-Identifier: Apache-2.0
//
// Keys that were no object's a moment ago, so that what lies below them may be made: asking again for each of many
// files in one directory would cost as many requests. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace fs_s3 {

class ParentsSeen {
 public:
  bool knows(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = seen_.find(key);
    return found != seen_.end() && Clock::now() < found->second;
  }
  void add(const std::string& key) {
    const std::lock_guard lock(mutex_);
    if (seen_.size() >= kMost) seen_.clear();
    seen_[key] = Clock::now() + kValid;
  }
  void forget(const std::string& key) {
    const std::lock_guard lock(mutex_);
    seen_.erase(key);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMost = 100;
  static constexpr auto kValid = std::chrono::seconds(60);
  std::mutex mutex_;
  std::map<std::string, Clock::time_point> seen_;
};

}  // namespace fs_s3
