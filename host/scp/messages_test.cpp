// SPDX-License-Identifier: Apache-2.0
#include "host/scp/messages.h"

#include <gtest/gtest.h>

#include "host/scp/arguments.h"

namespace host::scp {
namespace {

TEST(ScpMessages, Entries) {
  const auto entry = parse_entry("0644 12 with space");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->perms, 0644U);
  EXPECT_EQ(entry->size, 12U);
  EXPECT_EQ(entry->name, "with space");
  EXPECT_EQ(parse_entry("4755 9223372036854775807 x")->size, 9223372036854775807U);
  for (const std::string_view bad : {"", "0644", "0644 ", "0644 12", "0644 12 ", "0644 12 .", "0644 12 ..",
                                     "0644 12 a/b", "0844 1 x", "10000 1 x", "0644 -1 x", "0644 9223372036854775808 x",
                                     "0644 99999999999999999999 x", "0644x 1 x", "0644 1x x", " 0644 1 x"}) {
    EXPECT_FALSE(parse_entry(bad)) << bad;
  }
  EXPECT_FALSE(parse_entry(std::string_view("0644 1 a\0b", 10)));
}

TEST(ScpMessages, Times) {
  const auto times = parse_times("1700000000 0 1600000000 999999");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->mtime_s, 1700000000);
  EXPECT_EQ(times->atime_s, 1600000000);
  for (const std::string_view bad :
       {"", "1", "1 0 1", "1 0 1 0 1", "-1 0 1 0", "1 0 99999999999999999999 0", "99999999999 0 1 0"}) {
    EXPECT_FALSE(parse_times(bad)) << bad;
  }
}

TEST(ScpMessages, LinesForTheClient) {
  core::Attrs attrs;
  attrs.valid = core::Attrs::kPerms | core::Attrs::kMtime | core::Attrs::kSize;
  attrs.perms = 06755;
  attrs.size = 5'000'000'000;
  attrs.mtime_ns = 1'700'000'000'999'999'999;
  EXPECT_EQ(file_line(attrs, "a b"), "C6755 5000000000 a b\n");
  EXPECT_EQ(directory_line(attrs, "d"), "D6755 0 d\n");
  EXPECT_EQ(times_line(attrs), "T1700000000 0 1700000000 0\n");
  EXPECT_EQ(warning("/a\nb", "no such file"), "\x01scp: /a?b: no such file\n");
  EXPECT_EQ(fatal("x"), "\x02scp: x\n");
}

std::string arguments_of(std::string_view line) {
  const auto arguments = parse_arguments(*core::split_shell_words(line));
  if (!arguments) return "refused";
  std::string text = arguments->sink ? "t" : "f";
  if (arguments->recursive) text += "r";
  if (arguments->preserve) text += "p";
  if (arguments->must_be_directory) text += "d";
  for (const auto& path : arguments->paths) text += " " + path.text;
  return text;
}

TEST(ScpArguments, AnyGrouping) {
  EXPECT_EQ(arguments_of("scp -t /a"), "t /a");
  EXPECT_EQ(arguments_of("scp -rpt /a"), "trp /a");
  EXPECT_EQ(arguments_of("scp -v -r -p -d -t -- -x"), "trpd -x");
  EXPECT_EQ(arguments_of("scp -qf /a '/b c' ''"), "f /a /b c .");
  EXPECT_EQ(arguments_of("scp -f -"), "f -");
  for (const auto* bad : {"scp", "scp -t", "scp /a", "scp -t /a /b", "scp -tf /a", "scp -x -t /a", "scp -S sh -t /a"}) {
    EXPECT_EQ(arguments_of(bad), "refused") << bad;
  }
}

}  // namespace
}  // namespace host::scp
