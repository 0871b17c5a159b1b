// SPDX-License-Identifier: Apache-2.0
#include "host/events/turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>
#include <vector>

namespace host::events {
namespace {

using namespace std::chrono_literals;

bool stays() { return false; }

TEST(Turns, OneMoreWaitsUntilOneIsDone) {
  Turns turns(1, 1, 60s);
  std::optional<Turns::Turn> first(std::in_place, turns, stays);
  ASSERT_TRUE(*first);
  auto second = std::async(std::launch::async, [&] { return static_cast<bool>(Turns::Turn(turns, stays)); });
  EXPECT_EQ(second.wait_for(20ms), std::future_status::timeout);
  first.reset();
  EXPECT_TRUE(second.get());
}

TEST(Turns, WhoeverIsBeyondTheBoundDoesNotWait) {
  Turns turns(1, 0, 60s);
  std::optional<Turns::Turn> first(std::in_place, turns, stays);
  EXPECT_FALSE(Turns::Turn(turns, stays));
  first.reset();
  EXPECT_TRUE(Turns::Turn(turns, stays)) << "whoever had none gives none back";
  EXPECT_TRUE(Turns::Turn(turns, stays));
}

TEST(Turns, PatienceHasAnEnd) {
  Turns turns(1, 1, 10ms);
  const Turns::Turn first(turns, stays);
  EXPECT_FALSE(Turns::Turn(turns, stays));
}

TEST(Turns, NobodyWaitsForWhoHasLeft) {
  Turns turns(1, 1, 60s);
  const Turns::Turn first(turns, stays);
  EXPECT_FALSE(Turns::Turn(turns, [] { return true; }));
}

TEST(Turns, NeverMoreAtOnce) {
  Turns turns(3, 100, 60s);
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  std::vector<std::future<bool>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(std::async(std::launch::async, [&] {
      const Turns::Turn turn(turns, stays);
      const int mine = ++now;
      for (int seen = most; mine > seen && !most.compare_exchange_weak(seen, mine);) continue;
      std::this_thread::sleep_for(1ms);
      --now;
      return static_cast<bool>(turn);
    }));
  }
  for (auto& each : all) EXPECT_TRUE(each.get());
  EXPECT_LE(most, 3);
}

}  // namespace
}  // namespace host::events
