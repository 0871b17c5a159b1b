// SPDX-License-Identifier: Apache-2.0
//
// A bounded number of threads does something at once, and the others wait for their turn: some with patience, so that
// nobody is refused for nothing, the rest briefly, so that those who wait do not keep all threads from other work.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>

namespace host::events {

class Turns {
 public:
  using Cancelled = std::function<bool()>;
  using Duration = std::chrono::nanoseconds;

  Turns(std::size_t at_once, std::size_t patient, Duration patience, Duration briefly)
      : at_once_(at_once), patient_(patient), patience_(patience), briefly_(briefly) {}

  // Blocks until it has its turn, or false: it could not wait so long, or nobody waits for it. Any thread.
  class Turn {
   public:
    Turn(Turns& turns, const Cancelled& cancelled) : turns_(turns), has_(turns.take(cancelled)) {}
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    explicit operator bool() const { return has_; }

   private:
    Turns& turns_;
    const bool has_;
  };

 private:
  bool take(const Cancelled& cancelled);

  const std::size_t at_once_, patient_;
  const Duration patience_, briefly_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::size_t taken_ = 0, waiting_ = 0;
};

}  // namespace host::events
