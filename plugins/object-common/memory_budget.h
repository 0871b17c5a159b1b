// SPDX-License-Identifier: Apache-2.0
//
// What all transfers of a storage may hold in memory together. Nobody waits here: two transfers that each hold half
// and wait for more would wait for ever. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace object_common {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes) : free_(static_cast<long long>(bytes)) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  bool take(std::size_t bytes) {
    const auto wanted = static_cast<long long>(bytes);
    if (free_.fetch_sub(wanted) >= wanted) return true;
    free_.fetch_add(wanted);
    return false;
  }
  void give_back(std::size_t bytes) { free_.fetch_add(static_cast<long long>(bytes)); }

 private:
  std::atomic<long long> free_;
};

// A share of the budget, given back at the end.
class Share {
 public:
  Share() = default;
  Share(Share&& other) noexcept : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
  Share& operator=(Share&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Share() {
    if (bytes_ > 0) budget_->give_back(bytes_);
  }
  // Makes it at least this large. False: there is not so much.
  bool grow_to(MemoryBudget& budget, std::size_t bytes) {
    if (bytes <= bytes_) return true;
    if (!budget.take(bytes - bytes_)) return false;
    budget_ = &budget;
    bytes_ = bytes;
    return true;
  }

 private:
  MemoryBudget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace object_common
