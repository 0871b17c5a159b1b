// SPDX-License-Identifier: Apache-2.0
#include "host/ssh/places.h"

#include <gtest/gtest.h>

#include <vector>

namespace host::ssh {
namespace {

using boost::asio::ip::make_address;

TEST(Places, OneKeyCannotTakeAllOfThem) {
  Places places(4);
  std::vector<Places::Place> taken;
  for (int i = 0; i < 2; ++i) taken.push_back(places.enter("a", 2).value());
  EXPECT_FALSE(places.enter("a", 2));
  taken.push_back(places.enter("b", 2).value());
  taken.push_back(places.enter("c", 2).value());
  EXPECT_FALSE(places.enter("d", 2)) << "all are taken";
}

TEST(Places, APlaceThatIsGivenBackCanBeTakenAgain) {
  Places places(1);
  for (int i = 0; i < 3; ++i) {
    auto place = places.enter("a", 1);
    ASSERT_TRUE(place);
    const Places::Place moved(std::move(*place));
    EXPECT_FALSE(places.enter("a", 1));
  }
}

TEST(Places, APlaceGivenBackEarlyIsGivenBackOnce) {
  Places places(2);
  auto first = places.enter("a", 1);
  ASSERT_TRUE(first);
  first->give_back();
  const auto second = places.enter("a", 1);
  ASSERT_TRUE(second);
  first->give_back();
  first.reset();
  EXPECT_FALSE(places.enter("a", 1)) << "the second one's";
}

TEST(Places, NeighboursOfOneIpv6NetworkHaveOneKey) {
  EXPECT_EQ(key_of(make_address("2001:db8:0:1::1")), key_of(make_address("2001:db8:0:1:ffff::2")));
  EXPECT_NE(key_of(make_address("2001:db8:0:1::1")), key_of(make_address("2001:db8:0:2::1")));
  EXPECT_NE(key_of(make_address("192.0.2.1")), key_of(make_address("192.0.2.2")));
}

}  // namespace
}  // namespace host::ssh
