// SPDX-License-Identifier: Apache-2.0
#include "object-common/range_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace object_common {
namespace {

std::byte content(std::uint64_t at) { return static_cast<std::byte>((at * 2654435761U) >> 13); }

// Remembers what was asked of it; answers what it has, or a failure.
class Source final : public RangeSource {
 public:
  Outcome<void> fetch(const Stop&, std::uint64_t offset, std::span<std::byte> into) override {
    const std::lock_guard lock(mutex);
    asked.emplace_back(offset, into.size());
    if (failing > 0 && --failing >= 0) return Failure{SP_E_IO, "no", 0};
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = content(offset + i);
    return {};
  }
  std::uint64_t bytes() {
    const std::lock_guard lock(mutex);
    std::uint64_t sum = 0;
    for (const auto& [offset, size] : asked) sum += size;
    return sum;
  }
  std::mutex mutex;
  std::vector<std::pair<std::uint64_t, std::size_t>> asked;
  int failing = 0;
};

class RangeReaderTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kSize = 1'000'003;
  RangeReader& reader(std::size_t memory = 1 << 24) {
    budget = std::make_shared<MemoryBudget>(memory);
    pool = std::make_unique<TaskPool>("test", 4, 16);
    made = std::make_unique<RangeReader>(
        source, kSize, *pool, budget, RangeLimits{.first_bytes = 4096, .largest_bytes = 65536, .ahead = 3, .kept = 2});
    return *made;
  }
  void expect_read(RangeReader& from, std::uint64_t offset, std::size_t length) {
    std::vector<std::byte> data(length);
    std::size_t got = 0;
    while (got < length && offset + got < kSize) {
      auto step = from.read_at(nullptr, std::span(data).subspan(got), offset + got);
      ASSERT_TRUE(step) << step.failure().message;
      ASSERT_GT(*step, 0U);
      got += *step;
    }
    for (std::size_t i = 0; i < got; ++i) ASSERT_EQ(data[i], content(offset + i)) << offset << " + " << i;
  }
  std::shared_ptr<Source> source = std::make_shared<Source>();
  std::shared_ptr<MemoryBudget> budget;
  std::unique_ptr<TaskPool> pool;
  std::unique_ptr<RangeReader> made;
};

TEST_F(RangeReaderTest, InOrderEveryByteIsFetchedOnceInGrowingChunks) {
  auto& from = reader();
  for (std::uint64_t at = 0; at < kSize; at += 1000) expect_read(from, at, 1000);
  EXPECT_EQ(source->bytes(), kSize);
  EXPECT_LT(source->asked.size(), 40U);
  std::vector<std::byte> some(10);
  EXPECT_EQ(*from.read_at(nullptr, some, kSize), 0U);
}

TEST_F(RangeReaderTest, HereAndThereFetchesLittle) {
  auto& from = reader();
  std::minstd_rand random(7);
  for (int i = 0; i < 50; ++i) expect_read(from, random() % kSize, 100);
  EXPECT_LE(source->bytes(), 50U * 4096 * 2);
}

TEST_F(RangeReaderTest, SeveralReadersAtOnceGetTheirBytes) {
  auto& from = reader();
  std::vector<std::thread> readers;
  for (int lane = 0; lane < 4; ++lane) {
    readers.emplace_back([&, lane] {
      for (std::uint64_t at = static_cast<std::uint64_t>(lane) * 2000; at < kSize; at += 8000)
        expect_read(from, at, 2000);
    });
  }
  for (auto& thread : readers) thread.join();
}

TEST_F(RangeReaderTest, AFailureIsToldAndTheNextReadTriesAgain) {
  auto& from = reader();
  source->failing = 1;
  std::vector<std::byte> some(10);
  EXPECT_EQ(from.read_at(nullptr, some, 0).failure().status, SP_E_IO);
  expect_read(from, 0, 5000);
}

TEST_F(RangeReaderTest, WithoutMemoryItIsSlowNotBroken) {
  auto& from = reader(0);
  for (std::uint64_t at = 0; at < kSize; at += 30'000) expect_read(from, at, 30'000);
  made.reset();
  budget->give_back(1);
  EXPECT_TRUE(budget->take(1)) << "what was taken all the same has come back";
}

TEST_F(RangeReaderTest, WhatIsTakenWithoutLeaveIsCounted) {
  auto& from = reader(4096);
  expect_read(from, 0, 4096);
  expect_read(from, 500'000, 4096);
  budget->give_back(4095);
  EXPECT_FALSE(budget->take(4096)) << "the last chunk is held";
}

TEST_F(RangeReaderTest, NoChunkGoesBeyondAMultipleOfTheLargest) {
  auto& from = reader();
  for (std::uint64_t at = 100; at < kSize; at += 1000) expect_read(from, at, 1000);
  for (const auto& [offset, size] : source->asked) EXPECT_EQ(offset / 65536, (offset + size - 1) / 65536) << offset;
  EXPECT_EQ(source->bytes(), kSize - 100);
}

TEST_F(RangeReaderTest, WhatIsThereIsReadAtOnce) {
  auto& from = reader();
  std::vector<std::byte> some(1000);
  EXPECT_FALSE(from.read_at_once(some, 0)) << "nothing was fetched yet";
  expect_read(from, 0, 4000);
  ASSERT_EQ(from.read_at_once(some, 3000), 1000U);
  for (std::size_t i = 0; i < some.size(); ++i) ASSERT_EQ(some[i], content(3000 + i));
  EXPECT_FALSE(from.read_at_once(some, 500'000)) << "all of it or nothing";
  EXPECT_EQ(from.read_at_once(some, kSize), 0U) << "the end";
}

// The pool is busy with others: what a reader needs it fetches itself, also when it was to be read ahead.
TEST_F(RangeReaderTest, NobodyWaitsForWhatHasNotBegun) {
  auto& from = reader();
  std::mutex busy;
  busy.lock();
  for (int i = 0; i < 4; ++i) pool->submit([&] { const std::lock_guard wait(busy); }, std::to_string(i));
  for (std::uint64_t at = 0; at < 400'000; at += 1000) expect_read(from, at, 1000);
  busy.unlock();
  made.reset();
  pool.reset();
}

// Each pair of reads leaves out the end of a chunk before a border.
TEST_F(RangeReaderTest, WhatIsSkippedIsNotHeldForEver) {
  constexpr std::size_t kMemory = 1 << 20;
  auto& from = reader(kMemory);
  for (int round = 0; round < 20; ++round) {
    for (std::uint64_t border = 65536; border + 1000 < kSize; border += 65536) {
      expect_read(from, border - 8000, 100);
      expect_read(from, border + 90, 100);
    }
  }
  const auto soon = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!budget->take(kMemory / 2)) {
    ASSERT_LT(std::chrono::steady_clock::now(), soon) << "a few chunks are all that a reader needs";
    expect_read(from, 0, 100);
  }
}

TEST_F(RangeReaderTest, TheMemoryComesBack) {
  expect_read(reader(200'000), 0, 500'000);
  made.reset();
  pool.reset();
  EXPECT_TRUE(budget->take(200'000));
}

}  // namespace
}  // namespace object_common
