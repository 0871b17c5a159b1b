// SPDX-License-Identifier: Apache-2.0
//
// A token bucket in the form of a timetable: instead of counting tokens up, it notes when the bytes taken so far will
// all have had their time. Many small turns rather than one per request, so that a transfer with large requests gets no
// more than one with small ones. Knows no protocol and no timer.
#include "host/vfs/throttle.h"

#include <algorithm>
#include <utility>

#include "host/core/limits.h"

namespace host::vfs {

namespace limits = core::limits;

void Bucket::set_rate(std::int64_t bytes_per_s) {
  const std::lock_guard lock(mutex_);
  rate_ = bytes_per_s;
}

std::int64_t Bucket::rate() const {
  const std::lock_guard lock(mutex_);
  return rate_;
}

std::chrono::steady_clock::duration Bucket::time_of(std::int64_t bytes) const {
  const std::chrono::duration<double> exact(static_cast<double>(bytes) / static_cast<double>(rate_));
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(exact);
}

Bucket::Turn Bucket::take_turn(Time now) {
  const std::lock_guard lock(mutex_);
  if (rate_ <= 0) return {limits::kMaxThrottleTurnBytes, now};
  const std::chrono::duration<double> length = limits::kThrottleTurn;
  const auto bytes = std::clamp<std::int64_t>(static_cast<std::int64_t>(static_cast<double>(rate_) * length.count()), 1,
                                              limits::kMaxThrottleTurnBytes);
  next_ = std::max(next_, now - limits::kThrottleBurst) + time_of(bytes);
  return {bytes, next_};
}

void Bucket::give_back(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (rate_ > 0) next_ -= time_of(bytes);
}

Flow::~Flow() { bucket_->give_back(credit_ + (turn_ ? turn_->bytes : 0)); }

std::optional<Time> Flow::pay(std::int64_t bytes, Time now) {
  while (credit_ < bytes) {
    if (!turn_) turn_ = bucket_->take_turn(now);
    if (turn_->when > now) return turn_->when;
    credit_ += std::exchange(turn_, std::nullopt)->bytes;
  }
  credit_ -= bytes;
  return std::nullopt;
}

}  // namespace host::vfs
