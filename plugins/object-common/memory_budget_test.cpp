// SPDX-License-Identifier: Apache-2.0
#include "object-common/memory_budget.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "object-common/page_buffer.h"
#include "object-common/part_writer.h"
#include "object-common/range_reader.h"
#include "object-common/task_pool.h"

namespace object_common {
namespace {

constexpr std::size_t kPart = 1 << 20;

// Takes everything at once, and remembers nothing.
class Anywhere final : public PartTarget {
 public:
  Outcome<void> put_whole(const Stop&, const PartData&) override { return {}; }
  Outcome<void> begin(const Stop&) override { return {}; }
  Outcome<void> put_part(const Stop&, int, const PartData&) override { return {}; }
  Outcome<void> complete(const Stop&, int) override { return {}; }
  void abort() override {}
};

class Zeros final : public RangeSource {
 public:
  Outcome<void> fetch(const Stop&, std::uint64_t, std::span<std::byte> into) override {
    std::ranges::fill(into, std::byte{0});
    return {};
  }
};

MemoryBudget::Clock::time_point soon() { return MemoryBudget::Clock::now() + std::chrono::milliseconds(300); }
MemoryBudget::Clock::time_point late() { return MemoryBudget::Clock::now() + std::chrono::seconds(30); }

TEST(MemoryBudget, AShareIsOfTheWholeToo) {
  const auto whole = std::make_shared<MemoryBudget>(100);
  MemoryBudget one(60, whole), other(60, whole);
  EXPECT_FALSE(one.take(61));
  EXPECT_TRUE(one.take(60));
  EXPECT_FALSE(other.take(41));
  EXPECT_TRUE(other.take(40));
  one.give_back(60);
  EXPECT_TRUE(other.take(20));
}

TEST(MemoryBudget, WhoCannotDoWithoutGetsAsMuchAgainButNeverBeyondTheWhole) {
  const auto whole = std::make_shared<MemoryBudget>(150);
  MemoryBudget one(60, whole), other(60, whole);
  EXPECT_TRUE(one.take(60));
  EXPECT_TRUE(one.wait(60, nullptr, soon()));
  EXPECT_FALSE(one.wait(1, nullptr, soon()));
  EXPECT_FALSE(other.wait(31, nullptr, soon()));
  EXPECT_TRUE(other.wait(30, nullptr, soon()));
}

TEST(MemoryBudget, WhoWaitsIsServedInOrderAndBeforeOthers) {
  MemoryBudget budget(10);
  ASSERT_TRUE(budget.wait(20, nullptr, soon()));
  std::atomic<int> looks = 0;
  std::vector<int> order;
  std::mutex mutex;
  const auto wait = [&](int number, std::size_t bytes) {
    EXPECT_TRUE(budget.wait(
        bytes, [&] { return ++looks < 0; }, late()));
    const std::lock_guard lock(mutex);
    order.push_back(number);
  };
  std::thread first(wait, 1, 15);
  while (looks < 1) std::this_thread::yield();
  budget.give_back(12);  // too little for the first, enough for anybody else
  EXPECT_FALSE(budget.take(2));
  const int before = looks;
  std::thread second(wait, 2, 5);
  while (looks < before + 3) std::this_thread::yield();
  budget.give_back(3);
  first.join();
  budget.give_back(5);
  second.join();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(MemoryBudget, WhatADownloadIsAheadGoesToAnUploadThatNeedsIt) {
  const auto budget = std::make_shared<MemoryBudget>(8 * kPart);
  TaskPool pool("test", 4, 32);
  const RangeLimits limits{.first_bytes = kPart / 4, .largest_bytes = kPart, .ahead = 3, .kept = 2};
  std::vector<std::unique_ptr<RangeReader>> paused;
  std::vector<std::byte> some(kPart / 8);
  for (int i = 0; i < 6; ++i) {
    paused.push_back(std::make_unique<RangeReader>(std::make_shared<Zeros>(), 100 * kPart, pool, budget, limits));
    for (std::uint64_t at = 0; at < 4 * kPart; at += some.size()) {
      ASSERT_TRUE(paused.back()->read_at(nullptr, some, at));
    }
  }
  ASSERT_FALSE(budget->take(4 * kPart)) << "the downloads hold it";
  EXPECT_TRUE(budget->wait(16 * kPart, nullptr, late())) << "all there is, and as much again";
  for (const auto& reader : paused) EXPECT_TRUE(reader->read_at(nullptr, some, 4 * kPart));
}

// Each holds less than it can send: what is left must let one after the other go on.
TEST(MemoryBudget, ManyUploadsThatFillTheirPartsTogetherComeToTheirEnd) {
  constexpr int kUploads = 32;
  const auto budget = std::make_shared<MemoryBudget>(4 * kPart);
  TaskPool pool("test", 4, 32);
  std::vector<std::thread> uploads;
  std::atomic<int> done = 0;
  for (int i = 0; i < kUploads; ++i) {
    uploads.emplace_back([&] {
      PartWriter writer(std::make_shared<Anywhere>(), pool, budget,
                        {.part_bytes = 2 * kPart, .concurrency = 2, .max_parts = 50, .min_part_bytes = kPart});
      const std::vector<std::byte> piece(100'000);
      for (int step = 0; step < 60; ++step) {
        if (!writer.append(nullptr, piece)) return;
        std::this_thread::yield();
      }
      if (writer.finish(nullptr)) ++done;
    });
  }
  for (auto& thread : uploads) thread.join();
  EXPECT_EQ(done, kUploads);
  pool.submit([] {});
  EXPECT_TRUE(budget->wait(8 * kPart, nullptr, late())) << "all has come back";
}

TEST(PageBuffer, SparesAreOfOneSizeAndGoWhenMemoryIsWanted) {
  const auto budget = std::make_shared<MemoryBudget>(100);
  const auto spares = std::make_shared<Spares>(1);
  budget->add(spares);
  Held held{PageBuffer(60), {}};
  ASSERT_TRUE(held.share.grow_to(budget, 60));
  std::byte* const where = held.pages.data();
  spares->put(std::move(held));
  held = spares->take(60);
  EXPECT_EQ(held.pages.data(), where);
  spares->put(std::move(held));
  EXPECT_FALSE(budget->take(41));
  EXPECT_TRUE(budget->wait(100, nullptr, soon()));
  EXPECT_EQ(spares->take(60).pages.size(), 0U);
}

TEST(TaskPool, WhatOneStoreHoldsUpLeavesThreadsForOthers) {
  std::mutex mutex;
  std::condition_variable changed;
  bool over = false, other = false;
  int stuck = 0;
  TaskPool pool("test", 4, 32);
  for (int i = 0; i < 8; ++i) {
    pool.submit(
        [&] {
          std::unique_lock lock(mutex);
          ++stuck;
          changed.notify_all();
          changed.wait(lock, [&] { return over; });
        },
        "dead");
  }
  std::unique_lock lock(mutex);
  pool.submit(
      [&] {
        const std::lock_guard inner(mutex);
        other = true;
        changed.notify_all();
      },
      "alive");
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return other && stuck == 2; }));
  over = true;
  changed.notify_all();
}

}  // namespace
}  // namespace object_common
