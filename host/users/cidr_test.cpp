// SPDX-License-Identifier: Apache-2.0
#include "host/users/cidr.h"

#include <gtest/gtest.h>

using host::users::parse_cidr;
using host::users::parse_ip;

namespace {

bool matches(const char* block, const char* address) {
  const auto cidr = parse_cidr(block);
  const auto ip = parse_ip(address);
  EXPECT_TRUE(cidr) << block;
  EXPECT_TRUE(ip) << address;
  return cidr && ip && cidr->contains(*ip);
}

TEST(Cidr, MatchesByPrefix) {
  EXPECT_TRUE(matches("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(matches("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(matches("192.0.2.77/24", "192.0.2.1"));  // host bits may be set
  EXPECT_TRUE(matches("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(matches("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(matches("10.0.0.1/32", "10.0.0.1"));
  EXPECT_FALSE(matches("10.0.0.1/32", "10.0.0.0"));
  EXPECT_TRUE(matches("0.0.0.0/0", "203.0.113.9"));
  EXPECT_TRUE(matches("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(matches("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(matches("::/0", "2001:db8::1"));
}

TEST(Cidr, AnAddressIsANetworkOfOne) {
  using host::users::any_contains;
  using host::users::parse_network;
  const host::users::Cidr networks[] = {*parse_network("192.0.2.7"), *parse_network("2001:db8::7"),
                                        *parse_network("10.0.0.0/8")};
  for (const auto* inside : {"192.0.2.7", "::ffff:192.0.2.7", "2001:db8::7", "10.200.0.1"})
    EXPECT_TRUE(any_contains(networks, *parse_ip(inside))) << inside;
  for (const auto* outside : {"192.0.2.8", "2001:db8::8", "11.0.0.1"})
    EXPECT_FALSE(any_contains(networks, *parse_ip(outside))) << outside;
  for (const auto* wrong : {"", "here", "10.0.0.0/33", "10.0.0.0/", "2001:db8::/129", "/8"})
    EXPECT_FALSE(parse_network(wrong)) << wrong;
}

TEST(Cidr, FamiliesDoNotMix) {
  EXPECT_FALSE(matches("::/0", "192.0.2.1"));
  EXPECT_FALSE(matches("0.0.0.0/0", "::1"));
  // An IPv4 client of an IPv6 socket is an IPv4 client.
  EXPECT_TRUE(matches("192.0.2.0/24", "::ffff:192.0.2.7"));
  EXPECT_TRUE(matches("::ffff:192.0.2.0/120", "192.0.2.7"));
  EXPECT_FALSE(matches("::ffff:192.0.2.0/120", "192.0.3.7"));
}

TEST(Cidr, RefusesWhatIsNoBlock) {
  for (const auto* text : {"", "192.0.2.1", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/", "/24", "192.0.2/24", "::/129",
                           "::1", "a/8", "192.0.2.0/24 ", "192.0.2.0/2x", "::ffff:192.0.2.0/24", "192.0.2.0/0024"}) {
    EXPECT_FALSE(parse_cidr(text)) << text;
  }
  for (const auto* text : {"", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.4:22", "[::1]"})
    EXPECT_FALSE(parse_ip(text)) << text;
}

}  // namespace
