// SPDX-License-Identifier: Apache-2.0
//
// How long an exchange goes on: while somebody wants its answer, no time-out without a byte, and not for ever because a
// byte comes now and then. What has an end throws Poco::TimeoutException. One thread.
#pragma once

#include <Poco/Exception.h>
#include <Poco/Net/Socket.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "object-common/stop.h"

namespace fs_s3 {

class Patience {
 public:
  using Clock = std::chrono::steady_clock;
  // `until`: of the whole, but for a second and for what moves; `timeout`: without a byte.
  Patience(const object_common::Stop& stop, Clock::time_point until, std::chrono::seconds timeout)
      : stop_(stop), until_(until), timeout_(timeout) {}

  // Until the socket can be read, or written to.
  void wait(const Poco::Net::Socket& socket, int mode) const {
    const auto end = std::min(last(), Clock::now() + timeout_);
    look(end);  // it may be ready each time, and never done
    for (auto left = end - Clock::now(); !socket.poll(slice_of(left), mode); left = end - Clock::now()) look(end);
  }
  void moved(std::size_t bytes) {
    moved_ += bytes;
    look(last());
  }

 private:
  static constexpr std::size_t kSlowest = 64 * 1024;  // bytes per second that let a request go on beyond its time
  static constexpr auto kShortestTime = std::chrono::seconds(1);
  static constexpr std::chrono::microseconds kStopLook{200'000};

  static Poco::Timespan slice_of(Clock::duration left) {
    const auto wanted = std::chrono::duration_cast<std::chrono::microseconds>(left);
    return {0, static_cast<long>(std::clamp(wanted, std::chrono::microseconds(0), kStopLook).count())};
  }
  // What moves gets more time.
  Clock::time_point last() const {
    if (until_ == Clock::time_point::max()) return until_;
    return std::max(until_, begun_) + kShortestTime + std::chrono::seconds(moved_ / kSlowest);
  }
  void look(Clock::time_point end) const {
    if (stop_ && stop_()) throw Poco::TimeoutException("given up");
    if (Clock::now() >= end) throw Poco::TimeoutException("too slow");
  }

  const object_common::Stop& stop_;
  const Clock::time_point until_, begun_ = Clock::now();
  const std::chrono::seconds timeout_;
  std::size_t moved_ = 0;
};

}  // namespace fs_s3
