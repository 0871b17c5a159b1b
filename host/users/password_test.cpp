// SPDX-License-Identifier: Apache-2.0
//
// Known answers for every scheme (made with OpenSSL, glibc's successor libxcrypt and Python), and hostile parameters.
#include "host/users/password.h"

#include <gtest/gtest.h>

#include <chrono>

using namespace host::users;

namespace {

struct Known {
  const char *hash, *plain;
};

constexpr Known kKnown[] = {
    {"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"},
    {"$pbkdf2-sha256$150000$E86a9YMX3zC7$R5J62hsSq+pYw00hLLPKBbcGXmq7fj5+/M0IFoYtZbo=", "password"},
    {"$pbkdf2-sha1$1000$saltsalt$iwnGHj3e4ShfYAA1SPz7CWOx6OI=", "secret"},
    {"$pbkdf2-sha256$1000$saltsalt$hgR9HsqtKupWxpnv8y99TrPDajTT/9PcSTlNafpdLXQ=", "secret"},
    {"$pbkdf2-sha512$1000$saltsalt$sm09rUzS3++3+cqsWziIoWFO8bEknKwJwGEvyD1ra4PcWJt5OiWFlM/"
     "BVv8ybJe4XW8qMpq33ecFrOaibNGiHA==",
     "secret"},
    {"$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "secret"},
    {"$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", "secret"},
    {"$1$saltsalt$9xy1btjgzLYfb7hivXtC//", "secret"},
    {"$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA", "secret"},
    {"$5$rounds=2000$saltsalt$z4uPO26lUGTrJq0TkvDSMVwA89yISrOuEF2WeLlRnpC", "secret"},
    {"$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1", "secret"},
    {"$6$rounds=1000$saltsalt$LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/otop/Zok96Hr8Q13LEv0DRY/x8v0/crpIjl8NJSAqXV/",
     "secret"},
    {"$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0", "secret"},
    {"$y$j9T$saltsaltsaltsalt$.Zt5W26jjocuW0wIHGgB6AJelofw6GEpOypHGyow2y5", "secret"},
    {"$y$j75$saltsaltsaltsalt$DsMjm5uqUiFBUYLB9CLnX8E/M0k0mOVJBUWdpCrUik9", "secret"},
    {"$apr1$r31$fJLRT0KVISHYX88djrnVR/", "a much longer password than sixteen bytes, forty"},
};

TEST(Password, KnownAnswersOfEveryScheme) {
  for (const auto& known : kKnown) {
    EXPECT_TRUE(is_password_hash(known.hash)) << known.hash;
    EXPECT_TRUE(is_usable_hash(known.hash)) << known.hash;
    EXPECT_TRUE(verify_password(known.hash, known.plain)) << known.hash;
    EXPECT_FALSE(verify_password(known.hash, std::string(known.plain) + "x")) << known.hash;
    EXPECT_FALSE(verify_password(known.hash, std::string(known.plain) + std::string(1, '\0'))) << known.hash;
    EXPECT_FALSE(verify_password(known.hash, "")) << known.hash;
    std::string changed = known.hash;
    auto& digit = changed[changed.size() - 6];
    digit = digit == 'a' ? 'b' : 'a';
    EXPECT_FALSE(verify_password(changed, known.plain)) << changed;
  }
}

// The replaced system's own example; its cost of 14 takes about a second.
TEST(Password, BcryptExampleOfTheReplacedSystem) {
  EXPECT_TRUE(verify_password("$2a$14$ajq8Q7fbtFRQvXpdCq7Jcuy.Rx1h/L4J60Otx.gyNLbAYctGMJ9tK", "secret"));
}

TEST(Password, HashesWithTheDocumentedParameters) {
  auto first = hash_password("p\xc3\xa4ss");
  auto second = hash_password("p\xc3\xa4ss");
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(first->starts_with("$argon2id$v=19$m=65536,t=3,p=2$"));
  EXPECT_EQ(first->size(), 31U + 22 + 1 + 43);
  EXPECT_NE(*first, *second);
  EXPECT_TRUE(verify_password(*first, "p\xc3\xa4ss"));
  EXPECT_FALSE(verify_password(*first, "pass"));
  EXPECT_FALSE(hash_password(""));
  EXPECT_FALSE(hash_password(std::string(4097, 'x')));
}

TEST(Password, PlainTextIsNoHash) {
  for (const auto* text : {"", "secret", "$", "$2$", "$3$x", "argon2id", "$2x$04$abc", " $1$a$b"})
    EXPECT_FALSE(is_password_hash(text)) << text;
  EXPECT_FALSE(verify_password("secret", "secret"));
  EXPECT_FALSE(verify_password("", ""));
}

TEST(Password, MalformedOrHostileHashesFailAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  const std::string b43(43, 'a'), b86(86, 'a'), b53(53, 'a');
  for (const std::string& hash : std::initializer_list<std::string>{
           "$argon2id$",
           "$argon2id$v=19$m=65536,t=3,p=2$",
           "$argon2id$v=16$m=65536,t=3,p=2$c29tZXNhbHQ$" + b43,
           "$argon2id$v=19$m=2097152,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
           "$argon2id$v=19$m=1048576,t=100,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
           "$argon2id$v=19$m=65536,t=4000000000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
           "$argon2id$v=19$m=65536,t=3,p=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
           "$argon2id$v=19$m=99999999999999999999,t=3,p=2$c29tZXNhbHQ$" + b43,
           "$2a$31$" + b53,
           "$2a$18$" + b53,
           "$2a$03$" + b53,
           "$2a$0x$" + b53,
           "$2a$10$short",
           "$2a$",
           "$1$",
           "$1$salt",
           "$1$salt$short",
           "$apr1$",
           "$apr1$salt",
           "$5$x",
           "$6$",
           "$6$rounds=999999999$saltsalt$" + b86,
           "$6$rounds=$saltsalt$" + b86,
           "$6$rounds=5x$saltsalt$" + b86,
           "$6$saltsalt",
           "$y$",
           "$y$j9T$saltsalt",
           "$y$9T$saltsalt$" + b86.substr(43),
           "$y$jIT$saltsalt$" + b86.substr(43),  // 2 GiB
           "$y$j9z$saltsalt$" + b86.substr(43),
           "$y$j9TX$saltsalt$" + b86.substr(43),
           "$pbkdf2-sha1$",
           "$pbkdf2-sha1$10000001$salt$iwnGHj3e4ShfYAA1SPz7CWOx6OI=",
           "$pbkdf2-sha1$0$salt$iwnGHj3e4ShfYAA1SPz7CWOx6OI=",
           "$pbkdf2-sha1$-1$salt$iwnGHj3e4ShfYAA1SPz7CWOx6OI=",
           "$pbkdf2-sha1$1000$salt$",
           "$pbkdf2-sha256$1000$salt$iwnGHj3e4ShfYAA1SPz7CWOx6OI=",
           "$1$" + std::string(2000, 'a') + "$" + std::string(22, 'a')}) {
    EXPECT_TRUE(is_password_hash(hash)) << hash;
    EXPECT_FALSE(is_usable_hash(hash)) << hash;
    EXPECT_FALSE(verify_password(hash, "secret")) << hash;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Password, CostClassIsSchemeAndParameters) {
  EXPECT_EQ(hash_cost_class(kKnown[0].hash), "$argon2id$v=19$m=65536,t=2,p=1$");
  EXPECT_EQ(hash_cost_class(kKnown[1].hash), "$pbkdf2-sha256$150000$");
  EXPECT_EQ(hash_cost_class(kKnown[5].hash), "$2b$04$");
  EXPECT_EQ(hash_cost_class(kKnown[7].hash), "$1$");
  EXPECT_EQ(hash_cost_class(kKnown[9].hash), "$5$rounds=2000$");
  EXPECT_EQ(hash_cost_class(kKnown[10].hash), "$6$");
  EXPECT_EQ(hash_cost_class("$y$jFT$saltsalt$" + std::string(43, 'a')), "$y$jFT$") << "1 GiB";
  EXPECT_EQ(hash_cost_class("secret"), "");
}

TEST(Password, OnlyTheMostExpensiveKindIsOurOwn) {
  EXPECT_TRUE(is_own_hash(*hash_password("secret")));
  for (const auto& known : kKnown) EXPECT_FALSE(is_own_hash(known.hash)) << known.hash;
  EXPECT_FALSE(is_own_hash(""));
}

TEST(Password, ThrowawayHashesAreHashesToo) {
  for (const auto* plain : {"secret", "$6$looks$like-a-hash"}) {
    const auto hash = hash_throwaway_password(plain);
    ASSERT_TRUE(hash);
    EXPECT_TRUE(is_usable_hash(*hash)) << *hash;
    EXPECT_TRUE(verify_password(*hash, plain));
    EXPECT_FALSE(verify_password(*hash, "wrong"));
    EXPECT_NE(*hash, *hash_throwaway_password(plain));
  }
  EXPECT_FALSE(hash_throwaway_password(""));
}

TEST(Password, NothingNeverMatches) {
  EXPECT_FALSE(verify_nothing("secret", kKnown[7].hash));
  EXPECT_FALSE(verify_nothing("secret", "rubbish"));
}

}  // namespace
