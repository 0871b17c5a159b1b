// SPDX-License-Identifier: Apache-2.0
#include "parents_seen.h"

#include <gtest/gtest.h>

namespace fs_s3 {
namespace {

TEST(ParentsSeenTest, ForgetsWhatLiesBelowAndNothingBeside) {
  ParentsSeen seen;
  for (const char* name : {"s/b/dir", "s/b/dir/in", "s/b/dir/in/deep", "s/b/dir2", "s/b/dir.x", "s/b2/dir"}) {
    seen.add(name, seen.forgotten());
  }
  seen.forget("s/b/dir");
  for (const char* name : {"s/b/dir", "s/b/dir/in", "s/b/dir/in/deep"}) EXPECT_FALSE(seen.knows(name)) << name;
  for (const char* name : {"s/b/dir2", "s/b/dir.x", "s/b2/dir"}) EXPECT_TRUE(seen.knows(name)) << name;
}

TEST(ParentsSeenTest, WhatWasForgottenSinceTheQuestionIsNotLearned) {
  ParentsSeen seen;
  const auto asked = seen.forgotten();
  seen.forget("other");
  seen.add("dir", asked);
  EXPECT_TRUE(seen.knows("dir")) << "what others do does not matter";
  seen.forget("dir");
  seen.add("dir", asked);
  seen.add("dir/in", asked);
  EXPECT_FALSE(seen.knows("dir"));
  EXPECT_FALSE(seen.knows("dir/in"));
  seen.add("dir", seen.forgotten());
  EXPECT_TRUE(seen.knows("dir"));
}

TEST(ParentsSeenTest, AQuestionFromTooLongAgoTeachesNothing) {
  ParentsSeen seen;
  const auto asked = seen.forgotten();
  for (int i = 0; i < 1000; ++i) seen.forget("other" + std::to_string(i));
  seen.add("dir", asked);
  EXPECT_FALSE(seen.knows("dir"));
}

}  // namespace
}  // namespace fs_s3
