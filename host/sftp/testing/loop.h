// SPDX-License-Identifier: Apache-2.0
//
// An I/O thread for tests: the test's own thread runs what was posted to it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace host::sftp::testing {

class Loop {
 public:
  void post(std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    if (!dead_) jobs_.push_back(std::move(job));
    changed_.notify_all();
  }

  // Runs jobs until `done` holds; false when ten seconds pass without a job.
  template <class Done>
  bool run_until(Done done) {
    while (!done()) {
      std::function<void()> job;
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, std::chrono::seconds(10), [this] { return !jobs_.empty(); })) return false;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job();
    }
    return true;
  }

  // As an io_context that goes: destroys what was posted and will be, without running it.
  void die() {
    std::deque<std::function<void()>> jobs;
    const std::lock_guard lock(mutex_);
    dead_ = true;
    jobs.swap(jobs_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool dead_ = false;
};

}  // namespace host::sftp::testing
