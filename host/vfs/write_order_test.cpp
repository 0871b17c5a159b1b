// SPDX-License-Identifier: Apache-2.0
#include "host/vfs/write_order.h"

#include <gtest/gtest.h>

#include <string>

namespace host::vfs {
namespace {

class WriteOrderTest : public ::testing::Test {
 protected:
  core::Status put(std::string_view data, std::uint64_t offset) {
    const auto done = order.put(std::as_bytes(std::span(data)), offset, [&](auto part, auto at) -> core::Result<void> {
      if (fails) return core::Status::kIo;
      EXPECT_EQ(at, written.size());
      written.append(reinterpret_cast<const char*>(part.data()), part.size());
      return core::ok();
    });
    return done ? core::Status::kOk : done.error().status;
  }
  WaitingBytes all{19 << 20, nullptr}, room{10 << 20, &all};
  WriteOrder order{room};
  std::string written;
  bool fails = false;
};

TEST_F(WriteOrderTest, WhatOvertookWaitsForWhatIsBeforeIt) {
  EXPECT_EQ(put("cd", 2), core::Status::kOk);
  EXPECT_EQ(put("ghi", 6), core::Status::kOk);
  EXPECT_EQ(written, "");
  EXPECT_TRUE(order.has_gap());
  EXPECT_EQ(put("ab", 0), core::Status::kOk);
  EXPECT_EQ(written, "abcd");
  EXPECT_EQ(put("ef", 4), core::Status::kOk);
  EXPECT_EQ(written, "abcdefghi");
  EXPECT_FALSE(order.has_gap());
  EXPECT_EQ(order.end(), 9U);
}

TEST_F(WriteOrderTest, WrittenDataDoesNotChange) {
  EXPECT_EQ(put("abc", 0), core::Status::kOk);
  EXPECT_EQ(put("x", 1), core::Status::kUnsupported);
  EXPECT_EQ(put("de", 4), core::Status::kOk);
  EXPECT_EQ(put("xyz", 3), core::Status::kUnsupported) << "it reaches into what waits";
}

TEST_F(WriteOrderTest, TooFarAheadIsRefused) {
  const std::string large(core::limits::kMaxFileEarlyBytes / 2 - core::limits::kEarlyWriteBytes, 'x');
  EXPECT_EQ(put(large, 1), core::Status::kOk);
  EXPECT_EQ(put(large, 1 + large.size()), core::Status::kOk);
  EXPECT_EQ(put("y", 1 + 2 * large.size()), core::Status::kUnsupported);
}

TEST_F(WriteOrderTest, EveryWriteCostsMoreThanItsBytes) {
  for (std::uint64_t at = 1; at <= 200; at += 2) ASSERT_EQ(put("x", at), core::Status::kOk);
  EXPECT_EQ(room.taken(), 100 * (1 + core::limits::kEarlyWriteBytes));
  for (std::uint64_t at = 0; at <= 200; at += 2) ASSERT_EQ(put("y", at), core::Status::kOk);
  EXPECT_EQ(room.taken(), 0U);
}

TEST_F(WriteOrderTest, WhatWaitsInOtherFilesCountsToo) {
  const std::string large(6 << 20, 'x');
  EXPECT_EQ(put(large, 1), core::Status::kOk);
  const auto write = [](auto, auto) { return core::ok(); };
  {
    WriteOrder same_session(room);
    const auto refused = same_session.put(std::as_bytes(std::span(large)), 1, write);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().status, core::Status::kBusy);
    WaitingBytes other(10 << 20, &all), third(10 << 20, &all);
    WriteOrder others(other), thirds(third);
    EXPECT_TRUE(others.put(std::as_bytes(std::span(large)), 1, write));
    EXPECT_TRUE(thirds.put(std::as_bytes(std::span(large)), 1, write));
    EXPECT_FALSE(thirds.put(std::as_bytes(std::span(large)).first(3 << 19), 1 + large.size(), write)) << "of all";
  }
  EXPECT_EQ(all.taken(), room.taken()) << "what waited for nothing is given back";
}

TEST_F(WriteOrderTest, AFailureOfTheStorageIsTold) {
  EXPECT_EQ(put("b", 1), core::Status::kOk);
  fails = true;
  EXPECT_EQ(put("a", 0), core::Status::kIo);
}

}  // namespace
}  // namespace host::vfs
