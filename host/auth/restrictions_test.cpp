// SPDX-License-Identifier: Apache-2.0
#include "host/auth/restrictions.h"

#include <gtest/gtest.h>

using namespace host::auth;
using host::users::Filters;
using host::users::User;

namespace {

bool lets_in(const std::vector<std::string>& denied, const std::vector<std::string>& allowed, const char* ip) {
  Filters filters;
  filters.denied_ip = denied;
  filters.allowed_ip = allowed;
  return static_cast<bool>(check_address(filters, ip));
}

TEST(Restrictions, StatusAndExpiry) {
  User user;
  EXPECT_FALSE(check_status(user, 1000));
  user.status = 1;
  EXPECT_TRUE(check_status(user, 1000));
  user.expiration_date = 999;
  EXPECT_FALSE(check_status(user, 1000));
  user.expiration_date = 1001;
  EXPECT_TRUE(check_status(user, 1000));
}

TEST(Restrictions, AddressesDeniedFirst) {
  EXPECT_TRUE(lets_in({}, {}, "192.0.2.1"));
  EXPECT_TRUE(lets_in({}, {}, "not an address"));
  EXPECT_TRUE(lets_in({"10.0.0.0/8"}, {}, "192.0.2.1"));
  EXPECT_FALSE(lets_in({"10.0.0.0/8"}, {}, "10.1.2.3"));
  EXPECT_TRUE(lets_in({}, {"10.0.0.0/8", "2001:db8::/32"}, "2001:db8::5"));
  EXPECT_FALSE(lets_in({}, {"10.0.0.0/8"}, "11.1.2.3"));
  EXPECT_FALSE(lets_in({"10.1.0.0/16"}, {"10.0.0.0/8"}, "10.1.2.3"));
  EXPECT_FALSE(lets_in({"10.1.0.0/16"}, {}, "::ffff:10.1.2.3"));
  EXPECT_FALSE(lets_in({"10.1.0.0/16"}, {}, "garbage"));
  EXPECT_FALSE(lets_in({}, {"garbage"}, "10.1.2.3"));
  EXPECT_FALSE(lets_in({"garbage"}, {}, "10.1.2.3"));
}

TEST(Restrictions, HomeAndMethods) {
  User user;
  user.home_dir = "/srv/x";
  user.filters.denied_login_methods = {"password"};
  EXPECT_FALSE(check_restrictions(user, "password", "10.0.0.1"));
  EXPECT_TRUE(check_restrictions(user, "publickey", "10.0.0.1"));
  user.home_dir = "srv/x";
  EXPECT_FALSE(check_restrictions(user, "publickey", "10.0.0.1"));
}

}  // namespace
