// SPDX-License-Identifier: Apache-2.0
//
// A mutex that is held while somebody else is asked, who may take long: those who wait can give up. As
// std::timed_mutex, which thread sanitizers do not know.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace host::vfs {

class PatientMutex {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [this] { return !held_; });
    held_ = true;
  }
  bool try_lock() {
    const std::lock_guard lock(mutex_);
    return !std::exchange(held_, true);
  }
  bool try_lock_for(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    if (!free_.wait_for(lock, time, [this] { return !held_; })) return false;
    held_ = true;
    return true;
  }
  void unlock() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    free_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  bool held_ = false;
};

}  // namespace host::vfs
