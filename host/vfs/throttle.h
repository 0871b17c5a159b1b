// SPDX-License-Identifier: Apache-2.0
//
// Bandwidth limits. A bucket is one user's limit in one direction, a flow is one transfer that pays for its bytes
// there. Nobody sleeps: who may not go yet is told when to ask again. Time is the caller's, so that tests have their
// own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace host::vfs {

using Time = std::chrono::steady_clock::time_point;

// Gives out turns of equal size one after the other, so that all who want one get the same. Any thread.
class Bucket {
 public:
  // These bytes may move at that time.
  struct Turn {
    std::int64_t bytes = 0;
    Time when;
  };
  Bucket(std::int64_t bytes_per_s, Time now) : rate_(bytes_per_s), next_(now) {}
  Bucket(const Bucket&) = delete;
  Bucket& operator=(const Bucket&) = delete;

  // Holds for turns that are taken from now on. 0: no limit.
  void set_rate(std::int64_t bytes_per_s);
  std::int64_t rate() const;
  Turn take_turn(Time now);
  // What was taken and not moved; negative: moved and not taken.
  void give_back(std::int64_t bytes);

 private:
  std::chrono::steady_clock::duration time_of(std::int64_t bytes) const;

  mutable std::mutex mutex_;
  std::int64_t rate_;
  Time next_;  // when the next turn begins, unless that is longer ago than a burst lasts
};

// One transfer's account. On one thread.
class Flow {
 public:
  explicit Flow(std::shared_ptr<Bucket> bucket) : bucket_(std::move(bucket)) {}
  ~Flow();  // settles with the bucket
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  // Pays for `bytes` when they may move by `now`; otherwise the time to ask again.
  std::optional<Time> pay(std::int64_t bytes, Time now);
  // As much as was paid too much; negative: too little.
  void correct(std::int64_t bytes) { credit_ += bytes; }

 private:
  const std::shared_ptr<Bucket> bucket_;
  std::int64_t credit_ = 0;
  std::optional<Bucket::Turn> turn_;  // taken and not come yet
};

// What limits one session; null: nothing does.
struct Throttle {
  std::shared_ptr<Bucket> upload, download;
};

}  // namespace host::vfs
