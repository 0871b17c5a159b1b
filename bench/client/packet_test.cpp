// SPDX-License-Identifier: Apache-2.0
//
// The pieces whose mistakes would silently falsify a measurement: framing, percentiles, the test pattern.
#include "bench/client/packet.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/client/pattern.h"
#include "bench/client/statistics.h"

namespace bench::client {
namespace {

PacketWriter two_replies() {
  PacketWriter writer;
  writer.begin(kStatus);
  writer.u32(41);
  writer.u32(kOk);
  writer.end();
  writer.begin(kData);
  writer.u32(42);
  writer.string(std::string(3000, 'x'));
  writer.end();
  return writer;
}

TEST(ReplyParser, cuts_replies_however_the_stream_is_split) {
  PacketWriter writer = two_replies();
  for (std::size_t step : {1U, 3U, 7U, 4096U}) {
    ReplyParser parser;
    std::vector<std::uint32_t> ids;
    std::size_t last_length = 0;
    for (std::span<const std::uint8_t> rest = writer.bytes(); !rest.empty();) {
      const auto part = rest.first(std::min(step, rest.size()));
      rest = rest.subspan(part.size());
      parser.feed(part, [&](const Reply& reply) {
        ids.push_back(reply.id);
        last_length = reply.length;
        EXPECT_LE(reply.head.size(), ReplyParser::kHeadBytes);
        EXPECT_EQ(reply.field_u32(5), reply.type == kStatus ? 0U : 3000U);
      });
    }
    EXPECT_EQ(ids, (std::vector<std::uint32_t>{41, 42}));
    EXPECT_EQ(last_length, 3009U);
  }
}

TEST(ReplyParser, refuses_lengths_no_server_sends) {
  const std::vector<std::uint8_t> huge{0x7f, 0xff, 0xff, 0xff};
  const std::vector<std::uint8_t> tiny{0, 0, 0, 1};
  EXPECT_THROW(ReplyParser().feed(huge, [](const Reply&) {}), std::runtime_error);
  EXPECT_THROW(ReplyParser().feed(tiny, [](const Reply&) {}), std::runtime_error);
}

TEST(Reply, refuses_fields_beyond_its_end) {
  const std::vector<std::uint8_t> head{kHandle, 0, 0, 0, 1, 0, 0, 0, 9, 'a'};
  const Reply reply{kHandle, 1, head.size(), head};
  EXPECT_THROW(static_cast<void>(reply.field_string(5)), std::runtime_error);
  EXPECT_THROW(static_cast<void>(reply.field_u32(8)), std::runtime_error);
}

TEST(Percentile, is_the_nearest_rank) {
  std::vector<double> samples;
  for (int i = 100; i >= 1; i--) {
    samples.push_back(i);
  }
  EXPECT_EQ(percentile(samples, 50), 50);
  EXPECT_EQ(percentile(samples, 95), 95);
  EXPECT_EQ(percentile(samples, 100), 100);
  EXPECT_EQ(percentile({3}, 95), 3);
  EXPECT_EQ(percentile({}, 95), 0);
}

TEST(Pattern, finds_misplaced_and_missing_bytes) {
  const std::string path = testing::TempDir() + "sallyport_bench_pattern_" + std::to_string(getpid());
  const std::uint64_t size = (1 << 20) + 3 * kPatternBlock + 5;
  write_pattern_file(path, size);
  EXPECT_NO_THROW(check_pattern_file(path, size));
  EXPECT_THROW(check_pattern_file(path, size + 1), std::runtime_error);
  FILE* file = std::fopen(path.c_str(), "r+b");
  ASSERT_NE(file, nullptr);
  std::fseek(file, (1 << 20) + 7, SEEK_SET);
  std::fputc(0x55, file);
  std::fclose(file);
  EXPECT_THROW(check_pattern_file(path, size), std::runtime_error);
  std::remove(path.c_str());
}

TEST(Pattern, a_block_written_alone_equals_the_same_block_of_a_file) {
  auto one = make_pattern(2 * kPatternBlock);
  stamp_pattern(one, 4 * kPatternBlock);
  auto many = make_pattern(8 * kPatternBlock);
  stamp_pattern(many, 0);
  EXPECT_TRUE(std::equal(one.begin(), one.end(), many.begin() + 4 * kPatternBlock));
}

}  // namespace
}  // namespace bench::client
