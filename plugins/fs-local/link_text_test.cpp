// SPDX-License-Identifier: Apache-2.0
//
// Texts of links: what is stored, what is shown, and what counts as inside a home.
#include "link_text.h"

#include <gtest/gtest.h>

namespace fs_local {
namespace {

TEST(LinkText, KeepsRelativeTargets) {
  EXPECT_EQ("../a", stored_target("../a", 3));
  EXPECT_EQ("a//b/./c", stored_target("a//b/./c", 0));
}

TEST(LinkText, AbsoluteTargetsComeBackUnchanged) {
  EXPECT_EQ(".//../../a/b", stored_target("/a/b", 2));
  for (const std::size_t depth : {0u, 1u, 7u}) {
    for (const char* target : {"/", "/a", "/a/../b", "/a/./b", "/a//b", "/a/"}) {
      EXPECT_EQ(target, marked_target(stored_target(target, depth), depth).value_or("none"))
          << target << " at " << depth;
    }
  }
  EXPECT_EQ(".//../a", stored_target("/../../a", 1));  // nothing is above the home
}

TEST(LinkText, MovedLinksAreNotShownAsAbsolute) {
  EXPECT_FALSE(marked_target(stored_target("/a", 2), 1));
  EXPECT_FALSE(marked_target("../a", 1));
}

TEST(LinkText, CleansWithoutClimbing) {
  EXPECT_EQ("/", cleaned(""));
  EXPECT_EQ("/", cleaned("/a/.."));
  EXPECT_EQ("/b", cleaned("//a/./..//b/"));
  EXPECT_FALSE(cleaned("/.."));
  EXPECT_FALSE(cleaned("/a/../../b"));
}

TEST(LinkText, ComparesWholeComponents) {
  EXPECT_EQ("/x", below("/home/u/x", "/home/u"));
  EXPECT_EQ("", below("/home//./u", "/home/u/"));
  EXPECT_EQ("/../v", below("/home/u/../v", "/home/u"));
  EXPECT_FALSE(below("/home/u2/x", "/home/u"));
  EXPECT_FALSE(below("/home", "/home/u"));
  EXPECT_FALSE(below("/srv/../home/u/x", "/home/u"));
  EXPECT_EQ("/etc", below("/etc", "/"));
}

}  // namespace
}  // namespace fs_local
