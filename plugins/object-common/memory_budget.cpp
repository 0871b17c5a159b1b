// SPDX-License-Identifier: Apache-2.0
//
// Waiting, in the order of those who ask. What holders let go comes back through give_back.
#include "object-common/memory_budget.h"

#include <algorithm>

namespace object_common {
namespace {

constexpr auto kTurnLook = std::chrono::milliseconds(100);  // how often a wait looks at its `stop`, and at the whole
constexpr auto kPatience = std::chrono::seconds(1);         // before those who are busy are asked, too

}  // namespace

void MemoryBudget::give_back(std::size_t bytes) {
  free_.fetch_add(static_cast<long long>(bytes));
  if (whole_) whole_->give_back(bytes);
  if (waiting_ > 0) changed_.notify_all();
}

bool MemoryBudget::wait(std::size_t bytes, const Stop& stop, Clock::time_point until) {
  std::unique_lock lock(mutex_);
  const auto mine = next_++;
  queue_.push_back(mine);
  ++waiting_;
  // Whatever happens: everybody else comes after it. Under the lock.
  struct Leave {
    MemoryBudget& budget;
    std::uint64_t number;
    std::unique_lock<std::mutex>& lock;
    ~Leave() {
      if (!lock.owns_lock()) lock.lock();
      std::erase(budget.queue_, number);
      --budget.waiting_;
      budget.changed_.notify_all();
    }
  };
  const Leave leave{*this, mine, lock};
  bool got = false;
  const auto urgent = Clock::now() + kPatience;
  while (!got && !(stop && stop())) {
    if (queue_.front() == mine) {
      lock.unlock();
      ask_to_let_go(bytes, Clock::now() >= urgent);
      lock.lock();
      got = take_down_to(-size_, bytes);
    }
    if (got || Clock::now() >= until) break;
    changed_.wait_for(lock, kTurnLook);
  }
  return got;
}

void MemoryBudget::add(const std::shared_ptr<MemoryHolder>& holder) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(holders_, [](const auto& known) { return known.expired(); });
    holders_.push_back(holder);
  }
  if (whole_) whole_->add(holder);
}

// Holders are asked without the lock: they have locks of their own, and end here when they were about to.
void MemoryBudget::ask_to_let_go(std::size_t wanted, bool urgent) {
  if (free_ < static_cast<long long>(wanted)) {
    std::vector<std::shared_ptr<MemoryHolder>> here;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& known : holders_) {
        if (auto holder = known.lock()) here.push_back(std::move(holder));
      }
    }
    for (const auto& holder : here) {
      if (free_ >= static_cast<long long>(wanted)) break;
      holder->let_go(urgent);
    }
  }
  if (whole_) whole_->ask_to_let_go(wanted, urgent);
}

}  // namespace object_common
