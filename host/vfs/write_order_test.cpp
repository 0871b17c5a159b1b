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
  WriteOrder order;
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
  const std::string large(WriteOrder::kMaxWaitingBytes / 2, 'x');
  EXPECT_EQ(put(large, 1), core::Status::kOk);
  EXPECT_EQ(put(large, 1 + large.size()), core::Status::kOk);
  EXPECT_EQ(put("y", 1 + 2 * large.size()), core::Status::kUnsupported);
}

TEST_F(WriteOrderTest, AFailureOfTheStorageIsTold) {
  EXPECT_EQ(put("b", 1), core::Status::kOk);
  fails = true;
  EXPECT_EQ(put("a", 0), core::Status::kIo);
}

}  // namespace
}  // namespace host::vfs
