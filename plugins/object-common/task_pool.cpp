// SPDX-License-Identifier: Apache-2.0
//
// A queue and its threads. Tasks must not throw.
#include "object-common/task_pool.h"

#include <pthread.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace object_common {

TaskPool::TaskPool(std::string name, std::size_t threads, std::size_t queue)
    : name_(std::move(name)), max_threads_(threads), max_queue_(queue) {}

TaskPool::~TaskPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool TaskPool::submit(std::function<void()> task, const std::string& store) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || queue_.size() >= max_queue_) return false;
  if (idle_ <= queue_.size() && threads_.size() < max_threads_) {
    try {
      threads_.emplace_back([this] { run(); });
    } catch (const std::system_error&) {
      if (threads_.empty()) return false;
    }
  }
  queue_.push_back({std::move(task), store});
  wake_.notify_one();
  return true;
}

// The oldest whose store has threads left.
std::deque<TaskPool::Task>::iterator TaskPool::next() {
  const std::size_t share = std::max<std::size_t>(max_threads_ / 2, 1);
  return std::ranges::find_if(queue_, [&](const Task& task) {
    const auto found = running_.find(task.store);
    return found == running_.end() || found->second < share;
  });
}

void TaskPool::run() {
  ::pthread_setname_np(::pthread_self(), name_.c_str());
  std::unique_lock lock(mutex_);
  while (true) {
    auto found = next();
    if (found == queue_.end()) {
      if (stopping_ && queue_.empty()) return;
      ++idle_;
      wake_.wait(lock);
      --idle_;
      continue;
    }
    Task task = std::move(*found);
    queue_.erase(found);
    ++running_[task.store];
    lock.unlock();
    task.work();
    task.work = nullptr;
    lock.lock();
    const auto here = running_.find(task.store);
    if (--here->second == 0) running_.erase(here);
    if (stopping_) wake_.notify_all();
  }
}

}  // namespace object_common
