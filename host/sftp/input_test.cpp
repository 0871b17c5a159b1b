// SPDX-License-Identifier: Apache-2.0
#include "host/sftp/input.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host/core/limits.h"
#include "host/sftp/testing/client.h"

namespace host::sftp {
namespace {

using testing::as_bytes;
using testing::Ask;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Feeds the stream in pieces of `piece` bytes; the packets keep what they point into.
struct Fed {
  std::vector<std::string> packets;
  std::vector<std::shared_ptr<const core::Block>> memory;
  bool bad = false;
};
Fed feed(const std::string& stream, std::size_t piece) {
  Input input;
  Fed fed;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    const auto part = stream.substr(at, piece);
    auto data = as_bytes(part);
    for (;;) {
      Input::Packet packet;
      const auto step = input.next(data, packet);
      if (step == Input::Step::kBad) fed.bad = true;
      if (step != Input::Step::kPacket) break;
      fed.packets.push_back(text_of(packet.bytes));
      fed.memory.push_back(packet.memory);
    }
  }
  return fed;
}

TEST(Input, AnySplitGivesTheSamePackets) {
  const auto init = Ask(Type::kInit, 3);
  const auto write = Ask(Type::kWrite, 1).text("h").u64(0).text(std::string(5000, 'x'));
  const auto stat = Ask(Type::kStat, 2).text("/a");
  const auto stream = init.packet() + write.packet() + stat.packet() + write.packet();
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 1000u, 5030u, 100000u}) {
    const auto fed = feed(stream, piece);
    EXPECT_EQ(fed.packets, (std::vector{init.body(), write.body(), stat.body(), write.body()})) << piece;
    EXPECT_FALSE(fed.bad);
  }
}

TEST(Input, OnlyWritesAreKeptWhenNothingIsSplit) {
  const auto write = Ask(Type::kWrite, 1).text("h").u64(0).text("data");
  const auto fed = feed(Ask(Type::kStat, 2).text("/a").packet() + write.packet() + write.packet(), 100000);
  ASSERT_EQ(fed.memory.size(), 3u);
  EXPECT_EQ(fed.memory[0], nullptr);
  EXPECT_NE(fed.memory[1], nullptr);
  EXPECT_EQ(fed.memory[1], fed.memory[2]) << "small packets share a block";
}

TEST(Input, RefusesLengthsOutOfBounds) {
  const auto limit = core::limits::kMaxPacketBytes;
  EXPECT_TRUE(feed(std::string(4, '\0') + "x", 5).bad);
  EXPECT_TRUE(feed(std::string("\xff\xff\xff\xff", 4), 1).bad);
  EXPECT_FALSE(feed(Ask(Type::kWrite, 1).raw(std::string(limit - 5, 'x')).packet(), 1000).bad);
  EXPECT_EQ(feed(Ask(Type::kWrite, 1).raw(std::string(limit - 5, 'x')).packet(), 1000).packets.size(), 1u);
  EXPECT_TRUE(feed(Ask(Type::kWrite, 1).raw(std::string(limit - 4, 'x')).packet(), 1000).bad);
}

}  // namespace
}  // namespace host::sftp
