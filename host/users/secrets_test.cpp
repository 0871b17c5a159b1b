// SPDX-License-Identifier: Apache-2.0
//
// Secrets over the real S3 plugin's schema and an account store.
#include "host/users/secrets.h"

#include <gtest/gtest.h>

#include "host/plugin/sealed_text.h"
#include "host/users/aes_gcm.h"
#include "host/users/hex.h"
#include "host/users/public_json.h"
#include "host/users/store.h"

namespace host::users {
namespace {

const std::string kFirstKey(64, '1'), kSecondKey(64, '2');
constexpr char kStoredHash[] = "$1$saltsalt$9xy1btjgzLYfb7hivXtC//";

std::string sealed_by_the_replaced_system(const std::string& secret) {
  const std::string key = "0123456789abcdef0123456789abcdef";
  return "$aes$" + key + "$" + to_hex(*aes_encrypt(key, secret, {}));
}

class SecretsTest : public ::testing::Test {
 protected:
  SecretsTest() {
    plugin::RegistryOptions options;
    options.directory = PLUGIN_DIRECTORY;
    registry_ = std::make_unique<plugin::Registry>(std::move(options));
    keys_ = MasterKeys::open({kFirstKey, {}, false}).value();
  }

  static User person(const std::string& name, const std::string& secret) {
    User user;
    user.username = name;
    user.status = 1;
    user.password = kStoredHash;
    user.home_dir = "/srv/" + name;
    user.permissions[core::VirtualPath()] = kAll;
    user.filesystem = {"fs-s3",
                       Json{{"bucket", "b"}, {"region", "r"}, {"access_key", "k"}, {"access_secret", secret}}.dump()};
    return user;
  }
  static std::string secret_of(const std::string& settings) {
    return Json::parse(settings).value("access_secret", "none");
  }
  static std::string secret_of(const User& user) { return secret_of(user.filesystem.settings_json); }
  void seal(User& user, MasterKeys& keys) {
    const auto done = seal_secrets(user, *registry_, keys);
    ASSERT_TRUE(done) << done.error().text;
  }
  std::string plain(const User& user, MasterKeys* keys) {
    const auto settings = plain_settings(user, *registry_, keys);
    return settings ? secret_of(*settings) : "error: " + settings.error().text;
  }
  void open_store(const std::string& keys) {
    StoreOptions options;
    options.driver = "memory";
    options.master_keys.keys = keys;
    store_ = Store::open(*registry_, options).value();
  }

  std::unique_ptr<plugin::Registry> registry_;
  std::unique_ptr<MasterKeys> keys_;
  std::unique_ptr<Store> store_;
};

TEST_F(SecretsTest, ComeBackUnderTheSameKeyOnly) {
  for (const std::string text : {"Z", "TESTSECRET0123456789", "with $ and \xc3\xa9"}) {
    auto user = person("ann", text);
    seal(user, *keys_);
    EXPECT_EQ(user.filesystem.settings_json.find(text), std::string::npos);
    EXPECT_TRUE(secret_of(user).starts_with("$aes256gcm$")) << secret_of(user);
    EXPECT_EQ(plain(user, keys_.get()), text);
    const auto once = secret_of(user);
    seal(user, *keys_);
    EXPECT_EQ(secret_of(user), once) << "sealed once";
  }
  auto user = person("ann", "secret");
  seal(user, *keys_);
  auto other = MasterKeys::open({kSecondKey, {}, false}).value();
  EXPECT_NE(plain(user, other.get()).find("under another master key"), std::string::npos) << plain(user, other.get());
  const auto before = secret_of(user);
  seal(user, *other);
  EXPECT_EQ(secret_of(user), before) << "nobody's to throw away";
  EXPECT_NE(plain(user, nullptr).find("no master key"), std::string::npos);
}

TEST_F(SecretsTest, BelongToTheirAccount) {
  auto ann = person("ann", "secret");
  seal(ann, *keys_);
  auto eve = person("eve", secret_of(ann));
  EXPECT_NE(plain(eve, keys_.get()).find("belongs to another account"), std::string::npos);
}

TEST_F(SecretsTest, ChangesAreSeen) {
  auto user = person("ann", "secret");
  seal(user, *keys_);
  const auto good = secret_of(user);
  for (std::size_t at = good.rfind('$') + 1; at < good.size(); at += 7) {
    auto bad = good;
    bad[at] = bad[at] == '0' ? '1' : '0';
    EXPECT_NE(plain(person("ann", bad), keys_.get()).find("error: secret access_secret"), std::string::npos) << at;
  }
  for (const auto* bad :
       {"$aes256gcm$$", "$aes256gcm$x$zz", "$aes$short$00", "$aes$0123456789abcdef0123456789abcdef$zz",
        "$aes$0123456789abcdef0123456789abcdef$00112233"}) {
    EXPECT_NE(plain(person("ann", bad), keys_.get()).find("error: "), std::string::npos) << bad;
  }
}

TEST_F(SecretsTest, ThoseOfTheReplacedSystemAreReadAndBecomeOurs) {
  auto user = person("ann", sealed_by_the_replaced_system("inherited"));
  EXPECT_EQ(plain(user, nullptr), "inherited");
  seal(user, *keys_);
  EXPECT_TRUE(secret_of(user).starts_with("$aes256gcm$"));
  EXPECT_EQ(plain(user, keys_.get()), "inherited");
}

TEST_F(SecretsTest, OldKeysReadAndTheFirstWrites) {
  auto user = person("ann", "secret");
  seal(user, *keys_);
  auto rotated = MasterKeys::open({kSecondKey + "," + kFirstKey, {}, false}).value();
  EXPECT_EQ(plain(user, rotated.get()), "secret");
  seal(user, *rotated);
  auto only_new = MasterKeys::open({kSecondKey, {}, false}).value();
  EXPECT_EQ(plain(user, only_new.get()), "secret");
}

TEST_F(SecretsTest, TheShownFormStandsForWhatIsStored) {
  open_store(kFirstKey);
  const auto added = store_->add(person("ann", "secret")).value();
  const auto shown = public_json(added, *registry_).at("filesystem");
  const auto form = shown.at("s3config").at("access_secret").get<std::string>();
  EXPECT_TRUE(plugin::is_shown_form(form)) << form;
  EXPECT_EQ(form.substr(5), secret_of(added).substr(secret_of(added).rfind('$') + 1));
  const auto after = [&](const std::string& filesystem) {
    User user = *store_->find("ann");
    EXPECT_TRUE(merge_json(user, Json{{"filesystem", Json::parse(filesystem)}}));
    const auto updated = store_->update(user);
    return updated ? plain(*updated, &store_->master_keys()) : "refused: " + updated.error().text;
  };
  EXPECT_EQ(after(shown.dump()), "secret");
  EXPECT_EQ(after(R"({"s3config": {"access_secret": "$aes$00112233"}})"), "secret") << "shown at another time";
  EXPECT_EQ(after(R"({"s3config": {"access_key": "k", "access_secret": ""}})"), "secret");
  EXPECT_EQ(after(R"({"s3config": {"access_secret": "new"}})"), "new");
  EXPECT_EQ(after(R"({"s3config": {"access_key": "", "access_secret": ""}})"), "none");
  EXPECT_NE(after(R"({"s3config": {"access_key": "k", "access_secret": "$aes$00112233"}})").find("refused: "),
            std::string::npos)
      << "there is nothing that it could stand for";
}

TEST_F(SecretsTest, ResealingTakesAllThatAreNotUnderTheCurrentKey) {
  open_store(kFirstKey);
  ASSERT_TRUE(store_->add(person("ann", "one")));
  User local = person("bob", "");
  local.filesystem = {};
  ASSERT_TRUE(store_->add(local));
  EXPECT_EQ(store_->reseal()->changed, 0U);
  EXPECT_EQ(plain(*store_->find("ann"), &store_->master_keys()), "one");
}

TEST_F(SecretsTest, WithoutItsPluginNoTextOfAStorageIsShown) {
  auto user = person("ann", "secret");
  user.filesystem = {"fs-tape", R"({"token": "t", "slots": 4})"};
  EXPECT_EQ(public_json(user, *registry_).at("filesystem").at("config").dump(), R"({"slots":4})");
}

}  // namespace
}  // namespace host::users
