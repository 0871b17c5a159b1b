// SPDX-License-Identifier: Apache-2.0
//
// What writes that came too early may take in memory: those of one session, and of them all. Any thread.
#pragma once

#include <atomic>
#include <cstddef>

#include "host/core/limits.h"

namespace host::vfs {

class WaitingBytes {
 public:
  // What is taken here is taken of `whole` too, which outlives this.
  explicit WaitingBytes(std::size_t limit = core::limits::kMaxSessionEarlyBytes, WaitingBytes* whole = &of_process())
      : limit_(limit), whole_(whole) {}
  WaitingBytes(const WaitingBytes&) = delete;
  WaitingBytes& operator=(const WaitingBytes&) = delete;

  bool take(std::size_t bytes) {
    if (taken_.fetch_add(bytes) + bytes <= limit_ && (whole_ == nullptr || whole_->take(bytes))) return true;
    taken_.fetch_sub(bytes);
    return false;
  }
  void give_back(std::size_t bytes) {
    taken_.fetch_sub(bytes);
    if (whole_ != nullptr) whole_->give_back(bytes);
  }
  std::size_t taken() const { return taken_; }

 private:
  static WaitingBytes& of_process() {
    static WaitingBytes all(core::limits::kMaxEarlyBytes, nullptr);
    return all;
  }

  const std::size_t limit_;
  WaitingBytes* const whole_;
  std::atomic<std::size_t> taken_ = 0;
};

}  // namespace host::vfs
