// SPDX-License-Identifier: Apache-2.0
#include "host/auth/decoy.h"

#include <gtest/gtest.h>

#include <set>

#include "host/users/password.h"

using host::auth::Decoy;
using host::users::hash_cost_class;

namespace {

constexpr char kBcrypt[] = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
constexpr char kMd5[] = "$1$saltsalt$9xy1btjgzLYfb7hivXtC//";
constexpr char kPbkdf2[] = "$pbkdf2-sha1$1000$saltsalt$iwnGHj3e4ShfYAA1SPz7CWOx6OI=";

TEST(Decoy, KnowsNothingAtFirst) { EXPECT_EQ(Decoy().pick("x"), ""); }

TEST(Decoy, OneNameAlwaysGetsTheSameCost) {
  Decoy decoy;
  for (const auto* hash : {kBcrypt, kMd5, kPbkdf2, kBcrypt}) decoy.learn(hash);
  std::set<std::string> classes;
  for (int i = 0; i < 200; ++i) {
    const auto name = "user" + std::to_string(i);
    const auto hash = decoy.pick(name);
    EXPECT_EQ(decoy.pick(name), hash);
    classes.emplace(hash_cost_class(hash));
  }
  EXPECT_EQ(classes, (std::set<std::string>{"$1$", "$2b$04$", "$pbkdf2-sha1$1000$"}));
}

TEST(Decoy, KeepsNobodysSecret) {
  for (const auto* hash : {kBcrypt, kMd5, kPbkdf2}) {
    Decoy decoy;
    decoy.learn(hash);
    const auto kept = decoy.pick("x");
    EXPECT_NE(kept, hash);
    EXPECT_TRUE(host::users::is_usable_hash(kept)) << kept;
    EXPECT_EQ(hash_cost_class(kept), hash_cost_class(hash));
    EXPECT_FALSE(host::users::verify_password(kept, "secret"));
  }
}

TEST(Decoy, IgnoresRubbishAndStaysSmall) {
  Decoy decoy;
  decoy.learn("plain");
  decoy.learn("$2a$31$x");
  EXPECT_EQ(decoy.pick("x"), "");
  std::set<std::string> seen;
  for (int i = 1; i <= 100; ++i)
    decoy.learn("$pbkdf2-sha1$" + std::to_string(i) + "$salt$iwnGHj3e4ShfYAA1SPz7CWOx6OI=");
  for (int i = 0; i < 2000; ++i) seen.insert(decoy.pick(std::to_string(i)));
  EXPECT_EQ(seen.size(), Decoy::kMaxClasses);
}

}  // namespace
