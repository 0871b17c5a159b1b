// SPDX-License-Identifier: Apache-2.0
#include "places.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace auth_external {
namespace {

TEST(Places, OneClientHasAPartOfThem) {
  Places places(8);
  std::vector<Places::Place> taken = {places.take(true, "192.0.2.1"), places.take(true, "192.0.2.1")};
  EXPECT_TRUE(taken[0] && taken[1]);
  EXPECT_FALSE(places.take(true, "192.0.2.1"));
  EXPECT_TRUE(places.take(true, "192.0.2.2"));
  taken.pop_back();
  EXPECT_TRUE(places.take(true, "192.0.2.1")) << "one was given back";
  taken = {places.take(true, "2001:db8::1"), places.take(true, "2001:db8::2")};
  EXPECT_FALSE(places.take(true, "2001:db8::3")) << "of the same network";
  EXPECT_TRUE(places.take(true, "2001:db8:0:1::1"));
}

TEST(Places, HowManyOneClientHasCanBeSaid) {
  Places places(8, 3);
  std::vector<Places::Place> taken;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(taken.emplace_back(places.take(true, "192.0.2.1"))) << i;
  EXPECT_FALSE(places.take(true, "192.0.2.1"));
  taken.clear();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(taken.emplace_back(places.take(false, "192.0.2.1"))) << i;
  EXPECT_FALSE(places.take(false, "192.0.2.1")) << "strangers still have a quarter";
}

TEST(Places, StrangersHaveAPartOfThem) {
  Places places(8);
  const auto one = places.take(false, "192.0.2.1"), two = places.take(false, "192.0.2.2");
  EXPECT_TRUE(one && two);
  EXPECT_FALSE(places.take(false, "192.0.2.3"));
  EXPECT_TRUE(places.take(true, "192.0.2.3"));
}

TEST(Places, NoMoreThanThereAre) {
  Places places(8);
  std::vector<Places::Place> taken;
  for (int i = 0; i < 8; ++i) taken.push_back(places.take(true, "192.0.2." + std::to_string(i)));
  EXPECT_TRUE(taken.back());
  EXPECT_FALSE(places.take(true, "192.0.2.100"));
  taken.clear();
  EXPECT_TRUE(places.take(true, "192.0.2.100"));
  Places single(1);
  EXPECT_TRUE(single.take(false, "192.0.2.1")) << "one is not too many for anybody";
}

}  // namespace
}  // namespace auth_external
