// SPDX-License-Identifier: Apache-2.0
//
// Threads of a plugin for what runs ahead of the host's own: parts going up, ranges coming down. Any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace object_common {

class TaskPool {
 public:
  // Threads start when there is something for them to do. `name` is what the system shows.
  TaskPool(std::string name, std::size_t threads, std::size_t queue);
  ~TaskPool();  // does what is queued first
  TaskPool(const TaskPool&) = delete;
  TaskPool& operator=(const TaskPool&) = delete;

  // False: too much is waiting already; the caller does it itself or lets it be. The tasks about one `store` get half
  // of the threads at most: one that does not answer leaves room for the others.
  bool submit(std::function<void()> task, const std::string& store = {});

 private:
  struct Task {
    std::function<void()> work;
    std::string store;
  };
  void run();
  std::deque<Task>::iterator next();  // under mutex_

  const std::string name_;
  const std::size_t max_threads_, max_queue_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> queue_;
  std::map<std::string, std::size_t> running_;  // of each store
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace object_common
