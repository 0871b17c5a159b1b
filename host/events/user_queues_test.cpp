// SPDX-License-Identifier: Apache-2.0
#include "host/events/user_queues.h"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <vector>

#include "host/events/event_limits.h"

namespace host::events {
namespace {

constexpr auto kLong = std::chrono::seconds(20);

TEST(UserQueues, EachUserKeepsItsOrder) {
  std::mutex mutex;
  std::map<std::string, std::vector<int>> seen;
  UserQueues queues("test", 4, 1000);
  for (int i = 0; i < 100; ++i) {
    for (const auto* user : {"ada", "bob", "eve"}) {
      ASSERT_TRUE(queues.add(user, [&, user, i] {
        const std::lock_guard lock(mutex);
        seen[user].push_back(i);
      }));
    }
  }
  EXPECT_EQ(queues.finish(kLong), 0u);
  std::vector<int> in_order(100);
  for (int i = 0; i < 100; ++i) in_order[static_cast<std::size_t>(i)] = i;
  for (const auto* user : {"ada", "bob", "eve"}) EXPECT_EQ(seen[user], in_order) << user;
}

TEST(UserQueues, OneUserDoesNotHoldUpAnother) {
  std::promise<void> go;
  auto gone = go.get_future().share();
  std::promise<void> other;
  UserQueues queues("test", 2, 40);
  ASSERT_TRUE(queues.add("slow", [gone] { gone.wait(); }));
  ASSERT_TRUE(queues.add("slow", [] {}));
  ASSERT_TRUE(queues.add("quick", [&] { other.set_value(); }));
  EXPECT_EQ(other.get_future().wait_for(kLong), std::future_status::ready);
  go.set_value();
  EXPECT_EQ(queues.finish(kLong), 0u);
}

TEST(UserQueues, WhatWaitsIsBoundedAndGivenUpAtTheEnd) {
  std::promise<void> go;
  auto gone = go.get_future().share();
  std::promise<void> began;
  UserQueues queues("test", 1, 3);
  ASSERT_TRUE(queues.add("ada", [&] {
    began.set_value();
    gone.wait();
  }));
  began.get_future().wait();
  bool ran = false;
  ASSERT_TRUE(queues.add("bob", [&] { ran = true; }));
  ASSERT_TRUE(queues.add("cid", [&] { ran = true; }));
  EXPECT_FALSE(queues.add("eve", [&] { ran = true; }));
  EXPECT_EQ(queues.finish(std::chrono::milliseconds(1)), 3u);
  go.set_value();
  EXPECT_FALSE(queues.add("eve", [] {}));
  EXPECT_FALSE(ran);
}

TEST(UserQueues, OneUserDoesNotTakeAllTheRoom) {
  std::promise<void> go;
  auto gone = go.get_future().share();
  UserQueues queues("test", 1, 40);
  std::size_t taken = 0;
  while (taken <= 40 && queues.add("many", [gone] { gone.wait(); })) ++taken;
  EXPECT_EQ(taken, 40 / kUsersThatFillTheQueue);
  EXPECT_TRUE(queues.add("other", [] {}));
  go.set_value();
  EXPECT_EQ(queues.finish(kLong), 0u);
}

}  // namespace
}  // namespace host::events
