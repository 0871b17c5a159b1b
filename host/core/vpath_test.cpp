// SPDX-License-Identifier: Apache-2.0
#include "host/core/vpath.h"

#include <gtest/gtest.h>

namespace host::core {
namespace {

TEST(VirtualPath, CleansLexically) {
  const struct {
    const char* in;
    const char* out;
  } rows[] = {
      {"", "/"},
      {".", "/"},
      {"..", "/"},
      {"../../x", "/x"},
      {"/", "/"},
      {"//", "/"},
      {"a//b/", "/a/b"},
      {"/a/./b/../c", "/a/c"},
      {"/a/../../b", "/b"},
      {"...", "/..."},
      {"/..a", "/..a"},
  };
  for (const auto& row : rows) EXPECT_EQ(VirtualPath::clean(row.in).str(), row.out) << row.in;
}

TEST(VirtualPath, RelativeTextStartsAtBase) {
  const auto base = VirtualPath::clean("/a/b");
  EXPECT_EQ(VirtualPath::clean("../c", base).str(), "/a/c");
  EXPECT_EQ(VirtualPath::clean("/c", base).str(), "/c");
}

TEST(VirtualPath, ParentAndName) {
  EXPECT_EQ(VirtualPath::clean("/a/b").parent().str(), "/a");
  EXPECT_EQ(VirtualPath::clean("/a").parent().str(), "/");
  EXPECT_EQ(VirtualPath().parent().str(), "/");
  EXPECT_EQ(VirtualPath::clean("/a/b").name(), "b");
  EXPECT_EQ(VirtualPath().name(), "");
}

TEST(VirtualPath, WithinComparesWholeComponents) {
  const auto home = VirtualPath::clean("/h/p1");
  EXPECT_TRUE(VirtualPath::clean("/h/p1/x").is_within(home));
  EXPECT_TRUE(home.is_within(home));
  EXPECT_FALSE(VirtualPath::clean("/h/p12").is_within(home));
  EXPECT_EQ(VirtualPath::clean("/h/p1/x/y").below(home), "/x/y");
  EXPECT_EQ(home.below(home), "/");
  EXPECT_EQ(home.below(VirtualPath()), "/h/p1");
}

}  // namespace
}  // namespace host::core
