// SPDX-License-Identifier: Apache-2.0
//
// Work in a queue per user: one user's jobs run one after the other in their order, those of different users side by
// side. Everything that waits is bounded together, and one user gets a part of that only. Any thread; add never blocks.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include "host/core/worker_pool.h"

namespace host::events {

class UserQueues {
 public:
  using Job = std::function<void()>;

  UserQueues(std::string name, std::size_t threads, std::size_t most);
  ~UserQueues();  // without what still waits

  // False when too much waits already, in all or of this user.
  [[nodiscard]] bool add(const std::string& user, Job job);
  // Waits until everything is done, or until then; the number of jobs that were given up.
  std::size_t finish(std::chrono::nanoseconds patience);

 private:
  void run(const std::string& user);

  const std::size_t most_, most_of_one_;
  std::mutex mutex_;
  std::condition_variable empty_;
  std::unordered_map<std::string, std::deque<Job>> users_;  // the front of each is running or due
  std::size_t waiting_ = 0;                                 // running ones included
  bool stopped_ = false;
  core::WorkerPool pool_;
};

}  // namespace host::events
