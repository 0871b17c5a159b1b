// SPDX-License-Identifier: Apache-2.0
//
// A bounded number of threads does something at once, and a bounded number of others waits for its turn.
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

  Turns(std::size_t at_once, std::size_t most_waiting, Duration patience)
      : at_once_(at_once), most_waiting_(most_waiting), patience_(patience) {}

  // Blocks until it has its turn, or false: it took too long, too many wait already, or nobody waits for it. Any
  // thread.
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

  const std::size_t at_once_, most_waiting_;
  const Duration patience_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::size_t taken_ = 0, waiting_ = 0;
};

}  // namespace host::events
