// SPDX-License-Identifier: Apache-2.0
//
// What all transfers of a storage may hold in memory together, and of that what those of one user may. Nobody waits
// here: two transfers that each hold half and wait for more would wait for ever. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace object_common {

class MemoryBudget {
 public:
  // What is taken here is taken of `whole` too.
  explicit MemoryBudget(std::size_t bytes, std::shared_ptr<MemoryBudget> whole = nullptr)
      : whole_(std::move(whole)), free_(static_cast<long long>(bytes)) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  bool take(std::size_t bytes) {
    const auto wanted = static_cast<long long>(bytes);
    if (free_.fetch_sub(wanted) >= wanted && (!whole_ || whole_->take(bytes))) return true;
    free_.fetch_add(wanted);
    return false;
  }
  // For what is little and cannot wait: the others get less.
  void take_anyway(std::size_t bytes) {
    free_.fetch_sub(static_cast<long long>(bytes));
    if (whole_) whole_->take_anyway(bytes);
  }
  void give_back(std::size_t bytes) {
    free_.fetch_add(static_cast<long long>(bytes));
    if (whole_) whole_->give_back(bytes);
  }

 private:
  const std::shared_ptr<MemoryBudget> whole_;
  std::atomic<long long> free_;
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
    if (bytes <= bytes_) return true;
    if (!budget->take(bytes - bytes_)) return false;
    budget_ = budget;
    bytes_ = bytes;
    return true;
  }
  void grow_anyway(const std::shared_ptr<MemoryBudget>& budget, std::size_t bytes) {
    if (bytes <= bytes_) return;
    budget->take_anyway(bytes - bytes_);
    budget_ = budget;
    bytes_ = bytes;
  }

 private:
  std::shared_ptr<MemoryBudget> budget_;
  std::size_t bytes_ = 0;
};

}  // namespace object_common
