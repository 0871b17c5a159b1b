// SPDX-License-Identifier: Apache-2.0
#include "host/vfs/journal.h"

#include <gtest/gtest.h>

#include <regex>

namespace host::vfs::journal {
namespace {

TEST(JournalTest, ModesReadAsInGo) {
  EXPECT_EQ(mode_text(0644), "-rw-r--r--");
  EXPECT_EQ(mode_text(0), "----------");
  EXPECT_EQ(mode_text(0751), "-rwxr-x--x");
}

TEST(JournalTest, TimesAreLocalSeconds) {
  const std::time_t moment = 1583289600;  // 2020-03-04 02:40:00 UTC
  std::tm local{};
  localtime_r(&moment, &local);
  char expected[32];
  std::strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &local);
  EXPECT_EQ(time_text(moment * 1'000'000'000 + 999'999'999), expected);
  EXPECT_TRUE(std::regex_match(time_text(0), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)")));
}

TEST(JournalTest, TimesBefore1970KeepTheirSecond) {
  EXPECT_EQ(time_text(-1), time_text(-1'000'000'000));
  EXPECT_NE(time_text(-1), time_text(0));
}

}  // namespace
}  // namespace host::vfs::journal
