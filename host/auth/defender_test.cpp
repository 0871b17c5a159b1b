// SPDX-License-Identifier: Apache-2.0
//
// With a clock that the tests turn.
#include "host/auth/defender.h"

#include <gtest/gtest.h>

#include "host/core/limits.h"

namespace host::auth {
namespace {

using namespace std::chrono_literals;

DefenderOptions strict() {
  DefenderOptions options;
  options.enabled = true;
  options.max_failures = 5;
  options.max_failures_per_user = 3;
  options.window = 60s;
  options.ban_time = 100s;
  return options;
}

class DefenderTest : public testing::Test {
 protected:
  void fail(std::string_view ip, int times, const std::string& user = "") {
    for (int i = 0; i < times; ++i) defender_.note_failure(ip, user.empty() ? "user" + std::to_string(i) : user);
  }

  Defender::Clock::time_point now_{};
  Defender defender_{strict(), [this] { return now_; }};
};

TEST_F(DefenderTest, AnAddressIsRefusedForATime) {
  fail("192.0.2.7", 4);
  EXPECT_FALSE(defender_.refuses("192.0.2.7"));
  fail("192.0.2.7", 1, "other");
  ASSERT_TRUE(defender_.refuses("192.0.2.7"));
  EXPECT_STREQ(defender_.refuses("192.0.2.7")->login_type, "password");
  EXPECT_TRUE(defender_.refuses("192.0.2.7", "anybody")) << "who is connected already gets no further";
  EXPECT_FALSE(defender_.refuses("192.0.2.8"));
  now_ += 99s;
  EXPECT_TRUE(defender_.refuses("192.0.2.7"));
  now_ += 1s;
  EXPECT_FALSE(defender_.refuses("192.0.2.7"));
  fail("192.0.2.7", 4);
  EXPECT_FALSE(defender_.refuses("192.0.2.7")) << "counting begins anew";
}

// What one broken script behind a shared address does.
TEST_F(DefenderTest, OneNameShutsOutNobodyElse) {
  for (int i = 0; i < 100; ++i) {
    if (!defender_.refuses("192.0.2.7", "script")) defender_.note_failure("192.0.2.7", "script");
    EXPECT_FALSE(defender_.refuses("192.0.2.7"));
    EXPECT_FALSE(defender_.refuses("192.0.2.7", "ann"));
  }
  EXPECT_TRUE(defender_.refuses("192.0.2.7", "script"));
  EXPECT_FALSE(defender_.refuses("192.0.2.8", "script")) << "elsewhere the name is welcome";
  now_ += 100s;
  EXPECT_FALSE(defender_.refuses("192.0.2.7", "script"));
}

TEST_F(DefenderTest, FailuresOlderThanTheWindowDoNotCount) {
  for (int i = 0; i < 20; ++i) {
    fail("192.0.2.7", 1, "user" + std::to_string(i));
    now_ += 20s;
  }
  EXPECT_FALSE(defender_.refuses("192.0.2.7"));
}

TEST_F(DefenderTest, NeighboursOfOneIpv6NetworkCountTogether) {
  for (int i = 1; i <= 5; ++i) fail("2001:db8:0:1::" + std::to_string(i), 1, "user" + std::to_string(i));
  EXPECT_TRUE(defender_.refuses("2001:db8:0:1:ffff::1"));
  EXPECT_FALSE(defender_.refuses("2001:db8:0:2::1"));
  fail("::ffff:192.0.2.7", 5);
  EXPECT_TRUE(defender_.refuses("192.0.2.7"));
}

TEST_F(DefenderTest, ASuccessForgetsThatNamesFailuresOnly) {
  fail("192.0.2.7", 2, "ann");
  defender_.note_success("192.0.2.7", "ann");
  fail("192.0.2.7", 2, "ann");
  EXPECT_FALSE(defender_.refuses("192.0.2.7", "ann"));
  fail("192.0.2.7", 2, "victim");
  defender_.note_success("192.0.2.7", "ann");
  EXPECT_FALSE(defender_.refuses("192.0.2.7"));
  fail("192.0.2.7", 3, "");
  EXPECT_TRUE(defender_.refuses("192.0.2.7")) << "one's own account does not clear attempts at others'";
}

TEST_F(DefenderTest, ListsDecideFirst) {
  auto options = strict();
  options.allowed = {*users::parse_network("192.0.2.0/28")};
  options.denied = {*users::parse_network("192.0.2.0/24"), *users::parse_network("2001:db8::1")};
  defender_.set_options(options);
  fail("192.0.2.7", 100);
  EXPECT_FALSE(defender_.refuses("192.0.2.7"));
  EXPECT_FALSE(defender_.refuses("192.0.2.7", "user0"));
  ASSERT_TRUE(defender_.refuses("192.0.2.77"));
  EXPECT_STREQ(defender_.refuses("192.0.2.77")->login_type, "no_auth_tryed");
  EXPECT_TRUE(defender_.refuses("2001:db8::1"));
  EXPECT_FALSE(defender_.refuses("2001:db8::2"));
}

TEST_F(DefenderTest, SwitchedOffItRefusesNobody) {
  fail("192.0.2.7", 5);
  auto options = strict();
  options.ban_time = 1s;
  defender_.set_options(options);
  EXPECT_TRUE(defender_.refuses("192.0.2.7")) << "other options do not lift a ban";
  options.enabled = false;
  options.denied = {*users::parse_network("192.0.2.0/24")};
  defender_.set_options(options);
  EXPECT_FALSE(defender_.refuses("192.0.2.7"));
  options.enabled = true;
  options.denied.clear();
  defender_.set_options(options);
  EXPECT_FALSE(defender_.refuses("192.0.2.7")) << "nothing is left of the time before";
}

TEST_F(DefenderTest, BansAreListedAndLifted) {
  fail("192.0.2.7", 5);
  fail("2001:db8::1", 3, "a b");
  fail("2001:db8::1", 1, "c");
  now_ += 10s;
  const auto bans = defender_.bans();
  ASSERT_EQ(bans.size(), 2u);
  EXPECT_EQ(bans[0].network, "2001:db8::/64");
  EXPECT_EQ(bans[0].username, "a b");
  EXPECT_EQ(bans[0].left, 90s);
  EXPECT_EQ(bans[1].network, "192.0.2.7");
  EXPECT_EQ(bans[1].username, "");
  EXPECT_FALSE(defender_.lift("2001:db8::", "c"));
  EXPECT_TRUE(defender_.lift("2001:db8::/64", "a b"));
  EXPECT_TRUE(defender_.lift("192.0.2.7"));
  EXPECT_FALSE(defender_.lift("192.0.2.7"));
  EXPECT_FALSE(defender_.lift("nonsense"));
  EXPECT_TRUE(defender_.bans().empty());
  EXPECT_FALSE(defender_.refuses("192.0.2.7"));
  fail("192.0.2.7", 4);
  EXPECT_FALSE(defender_.refuses("192.0.2.7"));
}

TEST_F(DefenderTest, BansThatAreOverAreNotListed) {
  fail("192.0.2.7", 5);
  now_ += 100s;
  EXPECT_TRUE(defender_.bans().empty());
  EXPECT_FALSE(defender_.lift("192.0.2.7"));
}

TEST_F(DefenderTest, MemoryIsBounded) {
  const auto address = [](std::size_t i) {
    return "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255);
  };
  for (std::size_t i = 0; i < core::limits::kMaxDefenderBans + 10; ++i) fail(address(i), 5);
  EXPECT_EQ(defender_.bans().size(), core::limits::kMaxDefenderBans);
  EXPECT_FALSE(defender_.refuses(address(0))) << "the oldest went";
  EXPECT_TRUE(defender_.refuses(address(core::limits::kMaxDefenderBans)));
  fail("192.0.2.7", 3, std::string(1000000, 'x'));
  EXPECT_EQ(defender_.bans()[0].username.size(), core::limits::kMaxDefenderNameBytes);
}

}  // namespace
}  // namespace host::auth
