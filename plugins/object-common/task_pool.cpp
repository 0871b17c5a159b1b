// SPDX-License-Identifier: Apache-2.0
//
// A queue and its threads. Tasks must not throw.
#include "object-common/task_pool.h"

#include <pthread.h>

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

bool TaskPool::submit(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || queue_.size() >= max_queue_) return false;
  if (idle_ <= queue_.size() && threads_.size() < max_threads_) {
    try {
      threads_.emplace_back([this] { run(); });
    } catch (const std::system_error&) {
      if (threads_.empty()) return false;
    }
  }
  queue_.push_back(std::move(task));
  wake_.notify_one();
  return true;
}

void TaskPool::run() {
  ::pthread_setname_np(::pthread_self(), name_.c_str());
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    auto task = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace object_common
