// SPDX-License-Identifier: Apache-2.0
#include "host/commands/after_programs.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "host/commands/limits.h"

namespace host::commands {
namespace {

using namespace std::chrono_literals;

TEST(AfterPrograms, AnAccountIsCountedOnceAtATimeAndOnceForAllThatWait) {
  AfterPrograms after;
  std::promise<void> begun, go_on;
  std::atomic<int> counts = 0, at_once = 0, most = 0, done = 0;
  const auto count = [&] {
    most = std::max(most.load(), ++at_once);
    ++counts;
    --at_once;
  };
  after.count(
      "ann",
      [&] {
        ++at_once;
        begun.set_value();
        go_on.get_future().wait();
        --at_once;
        ++counts;
      },
      [&] { ++done; });
  begun.get_future().wait();
  for (int i = 0; i < 20; ++i) after.count("ann", count, [&] { ++done; });
  EXPECT_EQ(done, 0);
  go_on.set_value();
  after.stop();
  EXPECT_EQ(counts, 2);
  EXPECT_EQ(most, 1);
  EXPECT_EQ(done, 21);
}

TEST(AfterPrograms, AccountsDoNotWaitForEachOther) {
  AfterPrograms after;
  std::promise<void> go_on, other;
  after.count(
      "ann", [&] { go_on.get_future().wait(); }, [] {});
  after.count(
      "bob", [] {}, [&] { other.set_value(); });
  EXPECT_EQ(other.get_future().wait_for(20s), std::future_status::ready);
  go_on.set_value();
  after.stop();
}

TEST(AfterPrograms, WhatEndsLaterIsCountedLater) {
  AfterPrograms after;
  std::promise<void> second;
  int counts = 0;
  after.count(
      "ann", [&] { ++counts; },
      [&] {
        after.count(
            "ann", [&] { ++counts; }, [&] { second.set_value(); });
      });
  ASSERT_EQ(second.get_future().wait_for(20s), std::future_status::ready);
  after.stop();
  EXPECT_EQ(counts, 2);
}

}  // namespace
}  // namespace host::commands
