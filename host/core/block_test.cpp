// SPDX-License-Identifier: Apache-2.0
#include "host/core/block.h"

#include <gtest/gtest.h>

#include <array>

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "host/core/limits.h"

namespace host::core {
namespace {

void put(BlockQueue& queue, std::string_view text) {
  std::memcpy(queue.reserve(text.size()).data(), text.data(), text.size());
  queue.commit(text.size());
}

Block block_of(std::string_view text, std::size_t capacity) {
  auto block = Block::take(capacity);
  std::memcpy(block.room().data(), text.data(), text.size());
  block.grow(text.size());
  return block;
}

// Everything in the queue, taken in pieces of at most `step` bytes.
std::string drain(BlockQueue& queue, std::size_t step) {
  std::string out;
  while (!queue.empty()) {
    const auto part = queue.front().first(std::min(step, queue.front().size()));
    out.append(reinterpret_cast<const char*>(part.data()), part.size());
    queue.consume(part.size());
  }
  return out;
}

TEST(Block, SizeClasses) {
  EXPECT_EQ(Block::take(1).capacity(), limits::kSmallBlockBytes);
  EXPECT_EQ(Block::take(limits::kSmallBlockBytes + 1).capacity(), limits::kBlockBytes);
  EXPECT_EQ(Block::take(limits::kBlockBytes).capacity(), limits::kBlockBytes);
  EXPECT_EQ(Block::take(limits::kBlockBytes + 1).capacity(), limits::kBlockBytes + 1);
}

TEST(Block, GrowAndConsumeMoveTheEnds) {
  auto block = block_of("hello", 10);
  EXPECT_EQ(block.size(), 5u);
  EXPECT_EQ(block.room().size(), limits::kSmallBlockBytes - 5);
  block.consume(2);
  EXPECT_EQ(static_cast<char>(block.data()[0]), 'l');
  block.consume(3);
  EXPECT_TRUE(block.empty());
}

TEST(Block, MovedFromIsEmpty) {
  auto first = block_of("abc", 10);
  const auto* memory = first.data().data();
  Block second = std::move(first);
  EXPECT_EQ(second.data().data(), memory);
  EXPECT_EQ(second.size(), 3u);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): what it leaves is what is tested
  EXPECT_TRUE(first.empty());
}

TEST(Block, LargeMemoryIsReused) {
  const std::byte* memory = nullptr;
  {
    auto block = Block::take(limits::kBlockBytes);
    memory = block.room().data();
  }
  EXPECT_EQ(Block::take(limits::kBlockBytes).room().data(), memory);
}

TEST(BlockQueue, KeepsOrderAcrossBlocks) {
  BlockQueue queue;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const std::string piece = std::to_string(i) + std::string(static_cast<std::size_t>(i), '.');
    put(queue, piece);
    expected += piece;
  }
  EXPECT_EQ(queue.size(), expected.size());
  EXPECT_EQ(drain(queue, 7), expected);
  EXPECT_TRUE(queue.empty());
}

TEST(BlockQueue, ReservedRoomIsContiguous) {
  BlockQueue queue;
  put(queue, std::string(limits::kSmallBlockBytes - 1, 'a'));
  EXPECT_GE(queue.reserve(100000).size(), 100000u);
}

TEST(BlockQueue, EmptyBlocksAreNotQueued) {
  BlockQueue queue;
  queue.append(Block::take(10));
  EXPECT_TRUE(queue.empty());
  queue.append(block_of("x", 10));
  EXPECT_EQ(drain(queue, 1), "x");
}

TEST(BlockQueue, AppendJoinsQueues) {
  BlockQueue queue, small, large;
  put(queue, "head");
  const auto* memory = queue.front().data();
  put(small, "-small");
  queue.append(std::move(small));
  EXPECT_EQ(queue.front().data(), memory);
  EXPECT_EQ(queue.front().size(), 10u) << "a small reply shares the last block";
  const std::string bulk(limits::kSmallBlockBytes, 'b');
  put(large, bulk);
  queue.append(std::move(large));
  EXPECT_EQ(queue.size(), 10 + bulk.size());
  EXPECT_EQ(drain(queue, 1000), "head-small" + bulk);
}

TEST(BlockQueue, JoinedQueueIsEmptyAfterwards) {
  BlockQueue queue, other;
  put(queue, "a");
  put(other, "b");
  queue.append(std::move(other));
  EXPECT_TRUE(other.empty());  // NOLINT(bugprone-use-after-move): part of the contract
  put(other, "c");
  EXPECT_EQ(drain(other, 1), "c");
  EXPECT_EQ(drain(queue, 1), "ab");
}

TEST(BlockQueue, ClearForgetsEverything) {
  BlockQueue queue;
  put(queue, "abc");
  queue.clear();
  EXPECT_TRUE(queue.empty());
  put(queue, "d");
  EXPECT_EQ(drain(queue, 1), "d");
}

TEST(BlockQueue, UnusedRoomNeverStandsAtTheFront) {
  BlockQueue queue;
  queue.reserve(limits::kBlockBytes);
  queue.append(block_of("data", limits::kSmallBlockBytes));
  EXPECT_EQ(queue.front().size(), 4u);
  EXPECT_EQ(drain(queue, 100), "data");
}

TEST(BlockQueue, GathersAcrossBlocksWithoutTaking) {
  BlockQueue queue;
  queue.append(block_of("one", limits::kSmallBlockBytes));
  std::array<std::byte, 8> into;
  EXPECT_EQ(queue.gather(into).data(), queue.front().data()) << "copied although it stands in one piece";
  queue.append(block_of("two", limits::kSmallBlockBytes));
  queue.append(block_of("three", limits::kSmallBlockBytes));
  const auto part = queue.gather(into);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(part.data()), part.size()), "onetwoth");
  queue.consume(part.size());
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(drain(queue, 100), "ree");
}

TEST(BlockQueue, LongQueuesAreConsumedFromTheFront) {
  BlockQueue queue;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    expected += std::to_string(i);
    queue.append(block_of(std::to_string(i), limits::kSmallBlockBytes));
    if (i % 3 == 0) {
      const auto size = queue.front().size();
      EXPECT_EQ(std::string_view(expected).substr(0, size),
                std::string_view(reinterpret_cast<const char*>(queue.front().data()), size));
      expected.erase(0, size);
      queue.consume(size);
    }
  }
  EXPECT_EQ(drain(queue, 7), expected);
}

}  // namespace
}  // namespace host::core
