// SPDX-License-Identifier: Apache-2.0
#include "host/cli/duration.h"

#include <gtest/gtest.h>

namespace host::cli {
namespace {

TEST(Duration, Units) {
  const struct {
    const char* text;
    std::int64_t ms;
  } rows[] = {{"90", 90'000},       {"90s", 90'000},    {"500ms", 500},      {"2m", 120'000},
              {"1h30m", 5'400'000}, {"1d", 86'400'000}, {"1m500ms", 60'500}, {"366d", 31'622'400'000}};
  for (const auto& row : rows) {
    const auto parsed = parse_duration(row.text);
    ASSERT_TRUE(parsed) << row.text;
    EXPECT_EQ(parsed->count(), row.ms) << row.text;
  }
}

TEST(Duration, WhatIsNone) {
  for (const auto* text :
       {"", "0", "0s", "-1", "s", "1x", "1h30", "1 s", "1.5s", "367d", "99999999999999999999", "1m1"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace host::cli
