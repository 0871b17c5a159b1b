// SPDX-License-Identifier: Apache-2.0
#include "host/ssh/admission.h"

#include <gtest/gtest.h>

#include <vector>

namespace host::ssh {
namespace {

using boost::asio::ip::make_address;

TEST(Admission, OneAddressCannotTakeAllPlaces) {
  Admission admission(4, 2);
  std::vector<Admission::Place> places;
  for (int i = 0; i < 2; ++i) places.push_back(admission.enter(make_address("192.0.2.1")).value());
  EXPECT_FALSE(admission.enter(make_address("192.0.2.1")));
  places.push_back(admission.enter(make_address("192.0.2.2")).value());
  places.push_back(admission.enter(make_address("2001:db8::1")).value());
  EXPECT_FALSE(admission.enter(make_address("192.0.2.3"))) << "all are taken";
}

TEST(Admission, APlaceThatIsGivenBackCanBeTakenAgain) {
  Admission admission(1, 1);
  for (int i = 0; i < 3; ++i) {
    auto place = admission.enter(make_address("192.0.2.1"));
    ASSERT_TRUE(place);
    const Admission::Place moved(std::move(*place));
    EXPECT_FALSE(admission.enter(make_address("192.0.2.1")));
  }
}

TEST(Admission, NeighboursOfOneIpv6NetworkCountAsOne) {
  Admission admission(10, 1);
  const auto first = admission.enter(make_address("2001:db8:0:1::1"));
  EXPECT_TRUE(first);
  EXPECT_FALSE(admission.enter(make_address("2001:db8:0:1:ffff::2")));
  EXPECT_TRUE(admission.enter(make_address("2001:db8:0:2::1")));
}

}  // namespace
}  // namespace host::ssh
