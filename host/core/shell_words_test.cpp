// SPDX-License-Identifier: Apache-2.0
#include "host/core/shell_words.h"

#include <gtest/gtest.h>

namespace host::core {
namespace {

std::string joined(std::string_view line) {
  const auto words = split_shell_words(line);
  if (!words) return "refused";
  std::string text;
  for (const auto& word : *words) text += "<" + word.text + ">";
  return text;
}

TEST(ShellWords, AreSplitAsAShellWould) {
  const struct {
    const char *line, *words;
  } rows[] = {
      {"", ""},
      {"  scp  -t\t/a ", "<scp><-t></a>"},
      {"scp -t '/with space/it'\\''s'", "<scp><-t></with space/it's>"},
      {R"(a"b c"d e\ f "" '')", "<ab cd><e f><><>"},
      {R"("\"\\\$\x" '\n')", "<\"\\$\\x><\\n>"},
      {"a # b", "<a>"},
      {"a#b '#c'", "<a#b><#c>"},
      {"$(rm) `x` ; && | > ~", "<$(rm)><`x`><;><&&><|><>><~>"},
      {"\xc3\xa9 'two\nlines'", "<\xc3\xa9><two\nlines>"},
      {"'open", "refused"},
      {"\"open", "refused"},
      {"last\\", "refused"},
  };
  for (const auto& row : rows) EXPECT_EQ(joined(row.line), row.words) << row.line;
}

TEST(ShellWords, WhatWasQuotedIsNoPattern) {
  const auto words = split_shell_words(R"(/d/*.txt '/d/*.txt' /d/\* "/[a]"?)");
  ASSERT_TRUE(words);
  ASSERT_EQ(words->size(), 4U);
  EXPECT_TRUE((*words)[0].has_wildcard);
  EXPECT_EQ((*words)[0].pattern, "/d/*.txt");
  EXPECT_FALSE((*words)[1].has_wildcard);
  EXPECT_EQ((*words)[1].pattern, R"(/d/\*.txt)");
  EXPECT_FALSE((*words)[2].has_wildcard);
  EXPECT_TRUE((*words)[3].has_wildcard);
  EXPECT_EQ((*words)[3].pattern, R"(/\[a\]?)");
}

}  // namespace
}  // namespace host::core
