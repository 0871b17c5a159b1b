// SPDX-License-Identifier: Apache-2.0
//
// Whole logins over the memory provider: who gets in, what is recorded, and that refusals cost the same.
#include "host/auth/login.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>

using namespace host::auth;
using host::core::Status;
using host::users::User;

namespace {

constexpr char kMd5Secret[] = "$1$saltsalt$9xy1btjgzLYfb7hivXtC//";  // "secret"
constexpr char kKey[] = "AAAAC3NzaC1lZDI1NTE5AAAAIDGG2iyaemx6kvtDkar8GQ5x/qfzHJINM1FsNt3zytNk";
constexpr char kFingerprint[] = "SHA256:0Z8RdmmDP3dYuA9WCf0Dk4eKMLcB+/KsOJStWU+9ciE";
constexpr char kOtherKey[] = "AAAAC3NzaC1lZDI1NTE5AAAAIDGG2iyaemx6kvtDkar8GQ5x/qfzHJINM1FsNt3zytNl";

class LoginTest : public ::testing::Test {
 protected:
  LoginTest() {
    host::plugin::RegistryOptions options;
    options.directory = PLUGIN_DIRECTORY;
    registry_ = std::make_unique<host::plugin::Registry>(std::move(options));
    open("{}");
  }
  ~LoginTest() override {
    login_.reset();
    store_.reset();
    registry_.reset();
  }
  void open(const std::string& config, bool manage_users = true) {
    login_.reset();
    host::users::StoreOptions options;
    options.driver = "memory";
    options.provider_config_json = config;
    options.manage_users = manage_users;
    auto store = host::users::Store::open(*registry_, options);
    ASSERT_TRUE(store) << store.error().text;
    store_ = std::move(*store);
    login_ = std::make_unique<Login>(*store_);
  }
  User person(const std::string& name) {
    User user;
    user.username = name;
    user.status = 1;
    user.password = kMd5Secret;
    user.public_keys = {std::string("ssh-ed25519 ") + kKey + " ada@host"};
    user.home_dir = "/srv/" + name;
    user.permissions[host::core::VirtualPath()] = host::users::kAll;
    return user;
  }
  void add(const User& user) {
    auto added = store_->add(user);
    ASSERT_TRUE(added) << added.error().text;
  }
  auto password(const std::string& name, std::string_view text) { return login_->password({name, "192.0.2.7"}, text); }
  auto key(const std::string& name, const char* blob, bool probe = false) {
    return login_->public_key({name, "192.0.2.7"}, "ssh-ed25519", blob, probe);
  }
  // The least work of this thread, in seconds, that a refused attempt with each of these names takes. In turns, because
  // the time that passes is the machine's.
  template <class Attempt>
  static std::map<std::string, double> least_work(std::initializer_list<const char*> names, const Attempt& attempt) {
    const auto work = [] {
      timespec used{};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
      return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
    };
    std::map<std::string, double> least;
    for (int i = 0; i < 7; ++i) {
      for (const auto* name : names) {
        const double before = work();
        attempt(name);
        const double used = work() - before;
        const auto [known, added] = least.emplace(name, used);
        if (!added) known->second = std::min(known->second, used);
      }
    }
    return least;
  }
  // Waits for what logins left to be written.
  std::int64_t last_login(const std::string& name) {
    login_.reset();
    return store_->find(name)->last_login;
  }

  std::unique_ptr<host::plugin::Registry> registry_;
  std::unique_ptr<host::users::Store> store_;
  std::unique_ptr<Login> login_;
};

TEST_F(LoginTest, PasswordLetsInAndIsRecorded) {
  add(person("ada"));
  auto grant = password("ada", "secret");
  ASSERT_TRUE(grant) << grant.error().text;
  EXPECT_EQ(grant->user.username, "ada");
  EXPECT_EQ(grant->description, "password");
  EXPECT_GT(last_login("ada"), 1'600'000'000'000);
}

TEST_F(LoginTest, EveryRefusalHasTheSameStatus) {
  auto user = person("ada");
  add(user);
  user.username = "off";
  user.status = 0;
  add(user);
  user.username = "gone";
  user.status = 1;
  user.expiration_date = 1;
  add(user);
  user.username = "keys";
  user.expiration_date = 0;
  user.password.clear();
  add(user);
  user.username = "torn";
  user.password = "$6$torn";
  add(user);
  const std::pair<const char*, const char*> attempts[] = {
      {"ada", "wrong"},   {"ada", ""},        {"nobody", "secret"}, {"off", "secret"},  {"off", "wrong"},
      {"gone", "secret"}, {"keys", "secret"}, {"keys", ""},         {"torn", "secret"}, {"", "secret"}};
  for (const auto& [name, text] : attempts) {
    auto refused = password(name, text);
    ASSERT_FALSE(refused) << name << " " << text;
    EXPECT_EQ(refused.error().status, Status::kDenied);
    EXPECT_FALSE(refused.error().text.empty());
  }
  EXPECT_FALSE(password("ada", std::string(5000, 'x')));
  EXPECT_FALSE(password("ada", std::string_view("secret\0x", 8)));
  EXPECT_EQ(last_login("ada"), 0);
}

// Measured with bcrypt at cost 9 (about 25 ms): whoever must not get in pays for one hash, no more and no less. What is
// compared is work, not time.
TEST_F(LoginTest, RefusalsTakeTheSameTime) {
  auto user = person("ada");
  user.password = "$2b$09$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  add(user);
  user.username = "off";
  user.status = 0;
  add(user);
  auto least = least_work({"ada", "nobody", "off"}, [&](const char* name) { EXPECT_FALSE(password(name, "secret")); });
  for (const auto* name : {"nobody", "off"}) {
    const double ratio = least[name] / least["ada"];
    EXPECT_GT(ratio, 0.6) << name;
    EXPECT_LT(ratio, 1.6) << name;
  }
}

// The look-up itself differs by microseconds, and so does the number of keys. What may not differ is a hash, or
// whatever else shows through a network.
TEST_F(LoginTest, RefusedKeysTakeNoTimeThatShows) {
  constexpr int kTries = 20;
  constexpr double kShows = 0.001;
  auto user = person("ada");
  add(user);
  user.username = "many";
  user.public_keys.resize(20, user.public_keys.front());
  add(user);
  user.username = "off";
  user.status = 0;
  add(user);
  for (const bool probe : {true, false}) {
    auto least = least_work({"ada", "nobody", "many", "off"}, [&](const char* name) {
      for (int i = 0; i < kTries; ++i) EXPECT_FALSE(key(name, kOtherKey, probe));
    });
    for (const auto* name : {"nobody", "many", "off"})
      EXPECT_LT(std::abs(least[name] - least["ada"]) / kTries, kShows) << name << (probe ? " asks" : " signs");
  }
}

TEST_F(LoginTest, KeysOfTheUserOnly) {
  auto user = person("ada");
  user.public_keys.insert(user.public_keys.begin(), std::string("ssh-ed25519 ") + kOtherKey + " first");
  add(user);
  auto grant = key("ada", kKey);
  ASSERT_TRUE(grant) << grant.error().text;
  EXPECT_EQ(grant->description, std::string("publickey: ") + kFingerprint + ":ada@host");
  EXPECT_TRUE(key("ada", kOtherKey)->description.ends_with(":first"));
  user.username = "eve";
  user.public_keys.resize(1);
  add(user);
  for (const auto& refused : {key("eve", kKey), key("nobody", kKey), key("eve", "AAAA"), key("eve", "")}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().status, Status::kDenied);
  }
  EXPECT_GT(last_login("ada"), 0);
}

TEST_F(LoginTest, AProbeChecksEverythingAndRecordsNothing) {
  add(person("ada"));
  auto off = person("off");
  off.status = 0;
  add(off);
  EXPECT_TRUE(key("ada", kKey, true));
  EXPECT_FALSE(key("ada", kOtherKey, true));
  EXPECT_FALSE(key("off", kKey, true));
  EXPECT_EQ(last_login("ada"), 0);
}

TEST_F(LoginTest, RestrictionsHoldForBothMethods) {
  auto user = person("ada");
  user.filters.denied_login_methods = {"password"};
  add(user);
  EXPECT_FALSE(password("ada", "secret"));
  EXPECT_TRUE(key("ada", kKey));
  user = person("bob");
  user.filters.allowed_ip = {"10.0.0.0/8"};
  add(user);
  EXPECT_FALSE(password("bob", "secret"));
  EXPECT_FALSE(key("bob", kKey));
  EXPECT_TRUE(login_->password({"bob", "10.9.9.9"}, "secret"));
  EXPECT_FALSE(login_->password({"bob", ""}, "secret"));
}

TEST_F(LoginTest, AStoredKeyThatDoesNotParseIsSkipped) {
  std::string pattern = (std::filesystem::temp_directory_path() / "login-XXXXXX").string();
  const std::filesystem::path directory = ::mkdtemp(pattern.data());
  std::ofstream(directory / "dump.json")
      << R"({"users": [{"username": "ada", "status": 1, "home_dir": "/srv/ada", "permissions": {"/": ["*"]},
    "uid": 0, "gid": 0, "max_sessions": 0, "quota_size": 0, "quota_files": 0, "upload_bandwidth": 0, "download_bandwidth": 0,
    "public_keys": ["ssh-rsa broken", "ssh-ed25519 )"
      << kKey << R"( second"]}]})";
  open(R"({"name": ")" + (directory / "dump.json").string() + R"("})");
  auto grant = key("ada", kKey);
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(grant) << grant.error().text;
  EXPECT_TRUE(grant->description.ends_with(":second"));
  EXPECT_FALSE(password("ada", "secret"));  // no password stored
}

TEST_F(LoginTest, EverybodyIsLetInAsOneAccountWhenAskedFor) {
  add(person("ada"));
  login_->let_everybody_in("ada");
  for (const auto* text : {"wrong", "", "secret"}) {
    const auto grant = password("somebody", text);
    ASSERT_TRUE(grant) << grant.error().text;
    EXPECT_EQ(grant->user.username, "somebody");
    EXPECT_EQ(grant->user.home_dir, "/srv/ada");
  }
  EXPECT_TRUE(key("anybody", kOtherKey));
  EXPECT_TRUE(key("anybody", kOtherKey, true));
  EXPECT_FALSE(key("anybody", "rubbish"));
}

TEST_F(LoginTest, ManyAtOnceOnThePool) {
  add(person("ada"));
  std::atomic<int> good = 0;
  Login& login = *login_;
  for (int i = 0; i < 64; ++i) {
    ASSERT_TRUE(login.pool().submit([&, i] {
      good += login.password({"ada", "192.0.2.7"}, i % 2 == 0 ? "secret" : "wrong") ? 1 : 0;
    }));
  }
  EXPECT_GT(last_login("ada"), 0);
  EXPECT_EQ(good, 32);
}

TEST_F(LoginTest, MethodNames) {
  EXPECT_EQ(method_name(Method::kPassword), "password");
  EXPECT_EQ(method_name(Method::kPublicKey), "publickey");
  EXPECT_EQ(method_name(Method::kKeyboardInteractive), "keyboard-interactive");
}

}  // namespace
