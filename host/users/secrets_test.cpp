// SPDX-License-Identifier: Apache-2.0
#include "host/users/secrets.h"

#include <gtest/gtest.h>

#include "host/users/filesystem_json.h"

namespace host::users {
namespace {

Filesystem s3(const std::string& secret) {
  return {"fs-s3", R"({"bucket":"b","access_key":"k","access_secret":")" + secret + R"("})"};
}

TEST(Secrets, RoundTrip) {
  for (const std::string plain : {"Z", "TESTSECRET0123456789", "with $ and \xc3\xa9"}) {
    const auto sealed = seal(plain).value();
    EXPECT_TRUE(is_sealed(sealed));
    EXPECT_EQ(sealed.find(plain), std::string::npos);
    EXPECT_NE(sealed, seal(plain).value());
    EXPECT_EQ(unseal(sealed).value(), plain);
  }
}

TEST(Secrets, FormOfTheReplacedSystem) {
  const std::string sealed = seal("x").value();
  EXPECT_EQ(sealed.size(), 5 + 32 + 1 + 2 * (12 + 1 + 16));
  EXPECT_EQ(sealed.find_first_not_of("0123456789abcdef", 5), 5U + 32U);
}

TEST(Secrets, DamageIsSeen) {
  auto sealed = seal("secret").value();
  sealed.back() = sealed.back() == '0' ? '1' : '0';
  EXPECT_FALSE(unseal(sealed));
  EXPECT_FALSE(unseal("plain"));
  EXPECT_FALSE(unseal("$aes$short$00"));
  EXPECT_FALSE(unseal("$aes$0123456789abcdef0123456789abcdef$zz"));
  EXPECT_FALSE(unseal("$aes$0123456789abcdef0123456789abcdef$00112233"));
}

TEST(Secrets, OfAccountsAreSealedOnce) {
  Filesystem filesystem = s3("plain text");
  ASSERT_TRUE(seal_secrets(filesystem));
  EXPECT_EQ(filesystem.settings_json.find("plain text"), std::string::npos);
  const auto once = filesystem.settings_json;
  ASSERT_TRUE(seal_secrets(filesystem));
  EXPECT_EQ(filesystem.settings_json, once);
  EXPECT_EQ(Json::parse(plain_settings(filesystem).value()), Json::parse(s3("plain text").settings_json));
  EXPECT_FALSE(plain_settings(s3("$aes$0123456789abcdef0123456789abcdef$00112233")));
  EXPECT_EQ(plain_settings({"fs-local", R"({"access_secret":"$aes$a$b"})"}).value(), R"({"access_secret":"$aes$a$b"})");
}

TEST(Secrets, ThoseSentBackMaskedOrNotAtAllStay) {
  Filesystem filesystem = s3("plain text");
  ASSERT_TRUE(seal_secrets(filesystem));
  const auto secret = [&] { return Json::parse(filesystem.settings_json).value("access_secret", ""); };
  const auto stored = secret();
  const auto shown = filesystem_to_json(filesystem, Secrets::kBlank);
  EXPECT_NE(shown.at("s3config").at("access_secret"), stored);
  ASSERT_TRUE(merge_filesystem(filesystem, shown));
  EXPECT_EQ(secret(), stored);
  ASSERT_TRUE(merge_filesystem(filesystem, Json::parse(R"({"s3config": {"access_key": "k", "access_secret": ""}})")));
  EXPECT_EQ(secret(), stored);
  ASSERT_TRUE(merge_filesystem(filesystem, Json::parse(R"({"s3config": {"access_secret": "new"}})")));
  EXPECT_EQ(secret(), "new");
  ASSERT_TRUE(merge_filesystem(filesystem, Json::parse(R"({"s3config": {"access_key": "", "access_secret": ""}})")));
  EXPECT_EQ(secret(), "");
}

}  // namespace
}  // namespace host::users
