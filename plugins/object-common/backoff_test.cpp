// SPDX-License-Identifier: Apache-2.0
#include "object-common/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace object_common {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, PausesGrowUpToTheLongestAndEnd) {
  Backoff backoff({.attempts = 6, .first = milliseconds(100), .longest = milliseconds(400)});
  for (const auto bound : {100, 200, 400, 400, 400}) {
    const auto pause = backoff.next();
    ASSERT_TRUE(pause);
    EXPECT_LE(pause->count(), bound);
    EXPECT_GE(pause->count(), bound / 4);
  }
  EXPECT_FALSE(backoff.next());
}

TEST(Backoff, PausesDiffer) {
  std::set<milliseconds::rep> seen;
  for (int i = 0; i < 20; ++i) seen.insert(Backoff({}).next()->count());
  EXPECT_GT(seen.size(), 3U);
}

TEST(Backoff, NothingBeginsAfterTheTotal) {
  Backoff backoff(
      {.attempts = 100, .first = milliseconds(4000), .longest = milliseconds(4000), .total = std::chrono::seconds(1)});
  EXPECT_FALSE(backoff.next());
}

TEST(Backoff, WhoIsGoneDoesNotWait) {
  Backoff backoff({.attempts = 3, .first = milliseconds(50'000), .longest = milliseconds(50'000)});
  EXPECT_FALSE(backoff.wait([] { return true; }));
}

}  // namespace
}  // namespace object_common
