// SPDX-License-Identifier: Apache-2.0
#include "faults.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace fs_fault {
namespace {

Faults faults(const std::vector<std::string>& texts) {
  std::vector<Rule> rules;
  for (const auto& text : texts) {
    auto rule = parse_rule(text);
    EXPECT_TRUE(rule) << text;
    rules.push_back(*rule);
  }
  return Faults(rules);
}

// Which of ten reads fail.
std::string failing(const std::string& rule) {
  auto all = faults({rule});
  std::string calls;
  for (int i = 0; i < 10; ++i) calls += all.next(Operation::kRead).error != SP_OK ? 'x' : '.';
  return calls;
}

TEST(FaultText, WhichCalls) {
  EXPECT_EQ(failing("read:error=EIO"), "xxxxxxxxxx");
  EXPECT_EQ(failing("read:3:error=EIO"), "..x.......");
  EXPECT_EQ(failing("read:3+:error=EIO"), "..xxxxxxxx");
  EXPECT_EQ(failing("read:2-4:error=EIO"), ".xxx......");
  EXPECT_EQ(failing("read:%3:error=EIO"), "..x..x..x.");
  EXPECT_EQ(failing("any:1:error=EIO"), "x.........");
  EXPECT_EQ(failing("write:error=EIO"), "..........");
}

TEST(FaultText, Effects) {
  auto rule = parse_rule("read:1:delay=250ms,short=100,error=ENOSPC,drop");
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->effect.delay, std::chrono::milliseconds(250));
  EXPECT_EQ(rule->effect.short_bytes, 100U);
  EXPECT_EQ(rule->effect.error, SP_E_NO_SPACE);
  EXPECT_EQ(rule->effect.native, ENOSPC);
  EXPECT_TRUE(rule->effect.drop);
  EXPECT_EQ(parse_rule("mount:delay=2s")->effect.delay, std::chrono::seconds(2));
}

TEST(FaultText, WhatIsNoRule) {
  for (const auto* text : {"",
                           "read",
                           ":error=EIO",
                           "reads:error=EIO",
                           "read:",
                           "read:error",
                           "read:error=EWHAT",
                           "read:0:error=EIO",
                           "read:x:error=EIO",
                           "read:4-2:error=EIO",
                           "read:%0:error=EIO",
                           "read:3++:error=EIO",
                           "read:delay=5",
                           "read:delay=601s",
                           "read:delay=99999999999999999999s",
                           "read:short=0",
                           "write:short=5",
                           "any:short=5",
                           "read:drop=now",
                           "read:error=EIO,",
                           "read:1:2:error=EIO"}) {
    auto rule = parse_rule(text);
    ASSERT_FALSE(rule) << text;
    EXPECT_NE(rule.failure().message.find("allowed"), std::string::npos) << rule.failure().message;
  }
}

TEST(Faults, RulesAddUp) {
  auto all =
      faults({"read:delay=10ms", "read:2:error=EACCES", "read:delay=5ms,error=EIO", "read:short=7", "read:short=5"});
  auto first = all.next(Operation::kRead);
  EXPECT_EQ(first.delay, std::chrono::milliseconds(15));
  EXPECT_EQ(first.error, SP_E_IO);
  EXPECT_EQ(first.short_bytes, 5U);
  EXPECT_EQ(all.next(Operation::kRead).error, SP_E_DENIED) << "the first rule with an error decides";
}

TEST(Faults, OtherOperationsAreNotCounted) {
  auto all = faults({"read:2:error=EIO", "any:4:drop"});
  EXPECT_EQ(all.next(Operation::kRead).error, SP_OK);
  EXPECT_EQ(all.next(Operation::kWrite).error, SP_OK);
  EXPECT_EQ(all.next(Operation::kRead).error, SP_E_IO);
  EXPECT_TRUE(all.next(Operation::kStat).drop);
}

}  // namespace
}  // namespace fs_fault
