// SPDX-License-Identifier: Apache-2.0
//
// What all transfers of a storage may hold in memory together, and of that what those of one user may. Who waits holds
// nothing that others wait for: what is taken at first is enough to get rid of it again. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "object-common/stop.h"

namespace object_common {

// Somebody who holds memory that only makes things faster.
class MemoryHolder {
 public:
  virtual ~MemoryHolder() = default;
  // What it can do without just now; unless it is urgent, only if it has not been used for a while. Any thread.
  virtual void let_go(bool urgent) = 0;
};

class MemoryBudget {
 public:
  using Clock = std::chrono::steady_clock;
  // What is taken here is taken of `whole` too.
  explicit MemoryBudget(std::size_t bytes, std::shared_ptr<MemoryBudget> whole = nullptr)
      : size_(static_cast<long long>(bytes)), whole_(std::move(whole)), free_(size_) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // False: there is not so much, or others wait for it.
  bool take(std::size_t bytes) { return waiting_ == 0 && take_down_to(0, bytes); }
  // For what cannot do without, one after the other: as much again as there is, where the whole has it. False: not in
  // time.
  bool wait(std::size_t bytes, const Stop& stop, Clock::time_point until);
  // For what is little and cannot wait: the others get less.
  void take_anyway(std::size_t bytes) {
    free_.fetch_sub(static_cast<long long>(bytes));
    if (whole_) whole_->take_anyway(bytes);
  }
  void give_back(std::size_t bytes);
  // Until its end it is asked to let go when somebody needs memory.
  void add(const std::shared_ptr<MemoryHolder>& holder);
  void ask_to_let_go(std::size_t wanted, bool urgent);

 private:
  bool take_down_to(long long lowest, std::size_t bytes) {
    const auto wanted = static_cast<long long>(bytes);
    if (free_.fetch_sub(wanted) - wanted >= lowest && (!whole_ || whole_->take_down_to(0, bytes))) return true;
    free_.fetch_add(wanted);
    return false;
  }

  const long long size_;
  const std::shared_ptr<MemoryBudget> whole_;
  std::atomic<long long> free_;
  std::atomic<int> waiting_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t next_ = 0;           // under mutex_, as the rest
  std::deque<std::uint64_t> queue_;  // who waits, in order
  std::vector<std::weak_ptr<MemoryHolder>> holders_;
};

// A share of one budget, given back at the end.
class Share {
 public:
  Share() = default;
  Share(Share&& other) noexcept : budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}
  Share& operator=(Share&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Share() {
    if (bytes_ > 0) budget_->give_back(bytes_);
  }
  // Makes it at least this large. False: there is not so much.
  bool grow_to(const std::shared_ptr<MemoryBudget>& budget, std::size_t bytes) {
    return bytes <= bytes_ || (budget->take(bytes - bytes_) && grown(budget, bytes));
  }
  bool grow_in_turn(const std::shared_ptr<MemoryBudget>& budget, std::size_t bytes, const Stop& stop,
                    MemoryBudget::Clock::time_point until) {
    return bytes <= bytes_ || (budget->wait(bytes - bytes_, stop, until) && grown(budget, bytes));
  }
  void grow_anyway(const std::shared_ptr<MemoryBudget>& budget, std::size_t bytes) {
    if (bytes <= bytes_) return;
    budget->take_anyway(bytes - bytes_);
    grown(budget, bytes);
  }

 private:
  bool grown(const std::shared_ptr<MemoryBudget>& budget, std::size_t bytes) {
    budget_ = budget;
    bytes_ = bytes;
    return true;
  }
  std::shared_ptr<MemoryBudget> budget_;
  std::size_t bytes_ = 0;
};

}  // namespace object_common
