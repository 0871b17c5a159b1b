// SPDX-License-Identifier: Apache-2.0
#include "hook-common/query.h"

#include <gtest/gtest.h>

namespace hook_common {
namespace {

TEST(Query, SortedAndEncoded) {
  EXPECT_EQ(with_query("http://h/p", {{"path", "/srv/a b&c=\xC3\xA9"}, {"action", "upload"}}),
            "http://h/p?action=upload&path=%2Fsrv%2Fa+b%26c%3D%C3%A9");
}

TEST(Query, WhatIsThereStays) {
  EXPECT_EQ(with_query("http://h/p?z=1&b=a%20b&flag#end", {{"c", "2"}, {"b", "x"}}),
            "http://h/p?b=a+b&b=x&c=2&flag=&z=1");
  EXPECT_EQ(with_query("http://h", {{"a", "~-_."}}), "http://h?a=~-_.");
  EXPECT_EQ(with_query("http://h/?a=%zz&b=%4", {}), "http://h/?a=%25zz&b=%254");
}

}  // namespace
}  // namespace hook_common
