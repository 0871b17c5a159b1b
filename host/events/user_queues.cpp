// SPDX-License-Identifier: Apache-2.0
//
// A user with work has one entry in the pool at a time; after each job it goes to the end, so that one with many events
// does not keep the others waiting.
#include "host/events/user_queues.h"

#include <algorithm>
#include <utility>

#include "host/events/event_limits.h"

namespace host::events {

UserQueues::UserQueues(std::string name, std::size_t threads, std::size_t most)
    : most_(most),
      most_of_one_(std::max<std::size_t>(most / kUsersThatFillTheQueue, 1)),
      pool_(std::move(name), threads, most + 1) {}

UserQueues::~UserQueues() { (void)finish(std::chrono::nanoseconds(0)); }

bool UserQueues::add(const std::string& user, Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || waiting_ >= most_) return false;
    if (const auto found = users_.find(user); found != users_.end() && found->second.size() >= most_of_one_)
      return false;
    ++waiting_;
    auto& queue = users_[user];
    queue.push_back(std::move(job));
    if (queue.size() > 1) return true;
  }
  if (pool_.submit([this, user] { run(user); })) return true;
  const std::lock_guard lock(mutex_);
  const auto found = users_.find(user);
  waiting_ -= found->second.size();
  users_.erase(found);
  return false;
}

void UserQueues::run(const std::string& user) {
  Job job;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    job = std::move(users_[user].front());
  }
  job();
  job = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    auto& queue = users_[user];
    queue.pop_front();
    --waiting_;
    if (waiting_ == 0) empty_.notify_all();
    if (queue.empty()) {
      users_.erase(user);
      return;
    }
  }
  // There is room: it has just left.
  (void)pool_.submit([this, user] { run(user); });
}

std::size_t UserQueues::finish(std::chrono::nanoseconds patience) {
  std::size_t left = 0;
  {
    std::unique_lock lock(mutex_);
    if (stopped_) return 0;
    empty_.wait_for(lock, patience, [this] { return waiting_ == 0; });
    stopped_ = true;
    left = waiting_;
    users_.clear();
  }
  return left;
}

}  // namespace host::events
