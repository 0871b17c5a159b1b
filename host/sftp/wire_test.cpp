// SPDX-License-Identifier: Apache-2.0
#include "host/sftp/wire.h"

#include <gtest/gtest.h>

#include <array>

#include "host/sftp/testing/client.h"

namespace host::sftp {
namespace {

TEST(Wire, WriterAndReaderAgree) {
  std::array<std::byte, 64> memory;
  Writer out(memory);
  out.u8(200);
  out.u32(0xdeadbeef);
  out.u64(0x0123456789abcdef);
  out.text(std::string_view("a\0b", 3));
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out.size(), 1u + 4 + 8 + 4 + 3);
  EXPECT_EQ(std::to_integer<int>(memory[1]), 0xde);  // big-endian

  Reader in(std::span<std::byte>(memory).first(out.size()));
  EXPECT_EQ(in.u8(), 200);
  EXPECT_EQ(in.u32(), 0xdeadbeef);
  EXPECT_EQ(in.u64(), 0x0123456789abcdefu);
  EXPECT_EQ(in.text(), std::string_view("a\0b", 3));
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.left(), 0u);
}

TEST(Wire, ReaderStaysBadAfterAnOverrun) {
  const std::string bytes(
      "\0\0\0\x05"
      "abcd\0\0\0\0\0\0\0\0",
      16);
  Reader in(testing::as_bytes(bytes).first(8));
  EXPECT_EQ(in.text(), "");
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0);
  EXPECT_EQ(in.u64(), 0u);
}

TEST(Wire, ReaderRefusesLengthsBeyondTheEnd) {
  for (const std::string_view bytes : {std::string_view("\xff\xff\xff\xff", 4), std::string_view("\0\0\0\x01", 4),
                                       std::string_view("\0\0", 2), std::string_view()}) {
    Reader in(testing::as_bytes(bytes));
    EXPECT_TRUE(in.bytes().empty());
    EXPECT_FALSE(in.ok());
  }
}

TEST(Wire, WriterNeverPassesItsEnd) {
  std::array<std::byte, 8> memory{};
  Writer out(std::span<std::byte>(memory).first(6));
  out.u32(1);
  out.u32(2);
  EXPECT_FALSE(out.ok());
  out.text("x");
  out.u8(1);
  EXPECT_EQ(out.size(), 4u);
  EXPECT_EQ(std::to_integer<int>(memory[4]), 0);
}

TEST(Wire, EmptyTextNeedsOnlyItsLength) {
  std::array<std::byte, 4> memory;
  Writer out(memory);
  out.text("");
  EXPECT_TRUE(out.ok());
  EXPECT_EQ(out.left(), 0u);
}

}  // namespace
}  // namespace host::sftp
