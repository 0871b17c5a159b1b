// SPDX-License-Identifier: Apache-2.0
#include "host/cli/environment.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace host::cli {
namespace {

class EnvironmentTest : public testing::Test {
 protected:
  ~EnvironmentTest() override { ::unsetenv(kName); }
  void set(const char* value) { ::setenv(kName, value, 1); }

  static constexpr const char* kName = "SALLYPORT_ENVIRONMENT_TEST";
};

TEST_F(EnvironmentTest, UnsetMeansTheFallback) {
  EXPECT_EQ(text_from_environment(kName, "x"), "x");
  EXPECT_EQ(*number_from_environment(kName, 7), 7u);
  EXPECT_TRUE(*switch_from_environment(kName, true));
}

TEST_F(EnvironmentTest, EmptyTextIsAValueEmptyNumberIsNot) {
  set("");
  EXPECT_EQ(text_from_environment(kName, "x"), "");
  EXPECT_EQ(*number_from_environment(kName, 7), 7u);
  EXPECT_FALSE(*switch_from_environment(kName, false));
}

TEST_F(EnvironmentTest, Numbers) {
  set("0");
  EXPECT_EQ(*number_from_environment(kName, 7), 0u);
  for (const auto* wrong : {"-1", "1x", "x", "99999999999", " 1"}) {
    set(wrong);
    EXPECT_FALSE(number_from_environment(kName, 7)) << wrong;
  }
}

TEST_F(EnvironmentTest, Switches) {
  for (const auto* yes : {"1", "true"}) {
    set(yes);
    EXPECT_TRUE(*switch_from_environment(kName, false));
  }
  for (const auto* no : {"0", "false"}) {
    set(no);
    EXPECT_FALSE(*switch_from_environment(kName, true));
  }
  set("yes");
  EXPECT_FALSE(switch_from_environment(kName, true));
}

}  // namespace
}  // namespace host::cli
