// SPDX-License-Identifier: Apache-2.0
//
// Bandwidth limits on a clock of the test's own.
#include "host/vfs/throttle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "host/core/limits.h"

namespace host::vfs {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

constexpr std::int64_t kKb = 1000;

// A transfer that always has another request of `size` bytes to move.
struct Mover {
  Mover(std::shared_ptr<Bucket> bucket, std::int64_t bytes) : flow(std::move(bucket)), size(bytes) {}
  Flow flow;
  std::int64_t size;
  std::int64_t moved = 0;
  Time next;
};

// Lets all of them move until `end`; each is asked again at its time, `late` as timers are.
void run(std::vector<Mover*> movers, Time start, Time end, std::chrono::nanoseconds late = {}) {
  for (auto* mover : movers) mover->next = start;
  for (;;) {
    auto* first = *std::min_element(movers.begin(), movers.end(), [](auto* a, auto* b) { return a->next < b->next; });
    const auto now = first->next;
    if (now > end) return;
    if (const auto later = first->flow.pay(first->size, now)) {
      first->next = *later + late;
    } else {
      first->moved += first->size;
    }
  }
}

TEST(Throttle, KeepsItsRateWithinFivePercent) {
  for (const std::int64_t rate : {10 * kKb, 100 * kKb, 1'000 * kKb, 100'000 * kKb}) {
    for (const std::int64_t size : {1024, 32 * 1024, 261120}) {
      for (const auto late : {0ms, 3ms}) {
        const Time start{1h};
        Mover mover(std::make_shared<Bucket>(rate, start), size);
        run({&mover}, start, start + 10s, late);
        const auto wanted = 10 * rate;
        const auto told = ::testing::Message() << rate << " by " << size << " late " << late.count();
        EXPECT_LE(mover.moved, wanted * 105 / 100) << told;
        EXPECT_GE(mover.moved, wanted * 95 / 100 - size) << told;  // the last one may be half paid
      }
    }
  }
}

// A whole file takes as long as it should, from the first request to the last: each is paid for before it moves.
TEST(Throttle, AFileTakesItsTime) {
  const Time start{1h};
  const auto bucket = std::make_shared<Bucket>(10 * kKb, start);
  Flow flow(bucket);
  Time now = start;
  for (std::int64_t left = 100 * kKb; left > 0;) {
    const auto part = std::min<std::int64_t>(left, 32 * 1024);
    if (const auto later = flow.pay(part, now)) {
      now = *later;
    } else {
      left -= part;
    }
  }
  EXPECT_NEAR(Seconds(now - start).count(), 10, 0.2);
}

TEST(Throttle, SavesNoMoreThanABurst) {
  const Time start{1h};
  Mover mover(std::make_shared<Bucket>(1'000 * kKb, start), 1000);
  const auto later = start + 1h;
  while (!mover.flow.pay(mover.size, later)) mover.moved += mover.size;
  const auto burst = Seconds(core::limits::kThrottleBurst).count() * 1e6;
  EXPECT_NEAR(static_cast<double>(mover.moved), burst, Seconds(core::limits::kThrottleTurn).count() * 1e6);
}

TEST(Throttle, TransfersGetTheSameWhateverTheSizeOfTheirRequests) {
  const Time start{1h};
  const auto bucket = std::make_shared<Bucket>(3'000 * kKb, start);
  Mover large(bucket, 261120), middle(bucket, 32 * 1024), small(bucket, 512);
  run({&large, &middle, &small}, start, start + 60s);
  for (const auto* mover : {&large, &middle, &small}) {
    EXPECT_NEAR(static_cast<double>(mover->moved) / 60e6, 1, 0.05) << mover->size;
  }
}

TEST(Throttle, WhoMovesNothingTakesNothing) {
  const Time start{1h};
  const auto bucket = std::make_shared<Bucket>(1'000 * kKb, start);
  Mover idle(bucket, 1000), busy(bucket, 1000);
  EXPECT_TRUE(idle.flow.pay(1000, start));
  run({&busy}, start, start + 10s);
  EXPECT_NEAR(static_cast<double>(busy.moved) / 10e6, 1, 0.05);
}

TEST(Throttle, WhatWasPaidTooMuchComesBack) {
  const Time start{1h};
  const auto bucket = std::make_shared<Bucket>(100 * kKb, start);
  auto time_left = [&] {
    const auto turn = bucket->take_turn(start);
    bucket->give_back(turn.bytes);
    return Seconds(turn.when - start).count();
  };
  {
    Flow flow(bucket);
    Time now = start;
    while (const auto later = flow.pay(100 * kKb, now)) now = *later;
    EXPECT_NEAR(time_left(), 1, 0.1);
    flow.correct(90 * kKb);  // most of it was behind the end of the file
  }
  EXPECT_NEAR(time_left(), 0.15, 0.1);
  {
    Flow flow(bucket);
    flow.correct(-100 * kKb);                                     // the file was longer than known
    EXPECT_TRUE(flow.pay(0, start + 500ms)) << "who owes waits";  // its turns begin at 300 ms: the burst
  }
  EXPECT_NEAR(time_left(), 1.35, 0.1) << "and so do the user's other transfers once it is gone";
}

TEST(Throttle, ANewRateHoldsFromTheNextTurn) {
  const Time start{1h};
  const auto bucket = std::make_shared<Bucket>(100 * kKb, start);
  Mover mover(bucket, 1000);
  run({&mover}, start, start + 10s);
  EXPECT_NEAR(static_cast<double>(mover.moved), 1e6, 5e4);
  bucket->set_rate(1'000 * kKb);
  run({&mover}, start + 10s, start + 20s);
  EXPECT_NEAR(static_cast<double>(mover.moved), 11e6, 5e5);
  bucket->set_rate(0);
  EXPECT_FALSE(mover.flow.pay(1'000'000'000, start + 21s));
}

}  // namespace
}  // namespace host::vfs
