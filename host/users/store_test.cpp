// SPDX-License-Identifier: Apache-2.0
//
// The Store over the real provider plugins, and over a database as the replaced system made it.
#include "host/users/store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "host/core/log.h"
#include "host/users/password.h"
#include "host/users/user_json.h"

using namespace host::users;

namespace {

using host::core::Status;

// A cheap hash, so that tests are quick: "secret" under MD5-crypt.
constexpr char kHash[] = "$1$saltsalt$9xy1btjgzLYfb7hivXtC//";

class StoreTest : public ::testing::TestWithParam<std::string> {
 protected:
  StoreTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "store-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    host::plugin::RegistryOptions options;
    options.directory = PLUGIN_DIRECTORY;
    registry_ = std::make_unique<host::plugin::Registry>(std::move(options));
  }
  ~StoreTest() override {
    store_.reset();
    registry_.reset();
    std::filesystem::remove_all(directory_);
  }

  StoreOptions options(const std::string& driver = "sqlite") const {
    StoreOptions out;
    out.driver = driver;
    if (driver == "sqlite")
      out.provider_config_json = Json{{"name", database()}, {"pool_size", 0}, {"host", ""}}.dump();
    return out;
  }
  std::string database() const { return (directory_ / "users.db").string(); }

  void open(const StoreOptions& with) {
    store_.reset();
    auto created = Store::initialise(*registry_, with);
    ASSERT_TRUE(created) << created.error().text;
    auto opened = Store::open(*registry_, with);
    ASSERT_TRUE(opened) << opened.error().text;
    store_ = std::move(*opened);
  }
  void sql(const std::string& text) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(database().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  std::filesystem::path directory_;
  std::unique_ptr<host::plugin::Registry> registry_;
  std::unique_ptr<Store> store_;
};

User person(const std::string& name) {
  User user;
  user.username = name;
  user.status = 1;
  user.password = kHash;
  user.home_dir = "/srv/" + name;
  user.permissions[host::core::VirtualPath()] = kAll;
  return user;
}

TEST_P(StoreTest, AddFindUpdateRemove) {
  open(options(GetParam()));
  auto user = person("ada");
  user.filters.allowed_ip = {"10.0.0.0/8"};
  user.virtual_folders = {{"/v", "/mnt/v"}};
  user.used_quota_size = 55;
  auto added = store_->add(user);
  ASSERT_TRUE(added) << added.error().text;
  EXPECT_GT(added->id, 0);
  EXPECT_EQ(added->used_quota_size, 0);
  EXPECT_EQ(store_->add(user).error().status, Status::kExists);

  auto found = store_->find("ada");
  ASSERT_TRUE(found);
  EXPECT_EQ(to_json(*found, Secrets::kKeep), to_json(*added, Secrets::kKeep));
  ASSERT_TRUE(store_->note_login("ada", 1234));

  found->home_dir = "/srv/new";
  found->last_login = 99;
  found->used_quota_files = 99;
  found->filters = {};
  found->virtual_folders.clear();
  auto updated = store_->update(*found);
  ASSERT_TRUE(updated) << updated.error().text;
  EXPECT_EQ(updated->home_dir, "/srv/new");
  EXPECT_EQ(updated->last_login, 1234);
  EXPECT_EQ(updated->used_quota_files, 0);
  EXPECT_EQ(updated->id, added->id);
  EXPECT_TRUE(updated->filters.allowed_ip.empty());
  EXPECT_TRUE(updated->virtual_folders.empty());

  EXPECT_TRUE(store_->check());
  ASSERT_TRUE(store_->remove("ada"));
  EXPECT_EQ(store_->remove("ada").error().status, Status::kNotFound);
  EXPECT_EQ(store_->find("ada").error().status, Status::kNotFound);
  EXPECT_EQ(store_->update(*found).error().status, Status::kNotFound);
  EXPECT_EQ(store_->note_login("ada", 1).error().status, Status::kNotFound);
}

TEST_P(StoreTest, ListsInOrderAndPages) {
  open(options(GetParam()));
  for (const auto* name : {"c", "a", "b"}) ASSERT_TRUE(store_->add(person(name)));
  const auto names = [&](std::size_t limit, std::size_t offset, bool descending) {
    std::string out;
    const auto users = store_->list(limit, offset, descending);
    EXPECT_TRUE(users);
    for (const auto& user : *users) out += user.username;
    return out;
  };
  EXPECT_EQ(names(0, 0, false), "abc");
  EXPECT_EQ(names(0, 0, true), "cba");
  EXPECT_EQ(names(1, 1, false), "b");
  EXPECT_EQ(names(10, 3, false), "");
}

TEST_P(StoreTest, PlainPasswordsAreHashedOthersKept) {
  open(options(GetParam()));
  auto user = person("ada");
  user.password = "secret";
  auto added = store_->add(user);
  ASSERT_TRUE(added);
  EXPECT_TRUE(added->password.starts_with("$argon2id$"));
  EXPECT_TRUE(verify_password(added->password, "secret"));
  auto same = store_->update(*added);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->password, added->password);
}

TEST_P(StoreTest, RefusesInvalidUsers) {
  open(options(GetParam()));
  auto user = person("ada");
  user.home_dir = "rel";
  auto refused = store_->add(user);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, Status::kInvalid);
  EXPECT_EQ(refused.error().text, "Validation error: home_dir must be an absolute path, actual value: rel");
  user = person("\xff");
  EXPECT_EQ(store_->add(user).error().status, Status::kInvalid);
  user = person("big");
  user.filters.denied_ip.assign(200000, "10.0.0.0/8");
  EXPECT_EQ(store_->add(user).error().status, Status::kInvalid);
  user = person("tape");
  user.filesystem.backend = "fs-no-such-thing";
  refused = store_->add(user);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("fs-no-such-thing"), std::string::npos) << refused.error().text;
  EXPECT_TRUE(store_->list(0, 0, false)->empty());
}

TEST_P(StoreTest, UpgradesAHashThatIsStillThere) {
  auto with = options(GetParam());
  with.upgrade_password_hashes = true;
  open(with);
  ASSERT_TRUE(store_->add(person("ada")));
  EXPECT_TRUE(store_->wants_upgrade(kHash));
  ASSERT_TRUE(store_->upgrade_password("ada", "$1$another$9xy1btjgzLYfb7hivXtC//", "other"));
  EXPECT_EQ(store_->find("ada")->password, kHash) << "somebody changed it meanwhile";
  ASSERT_TRUE(store_->upgrade_password("ada", kHash, "secret"));
  const auto ada = store_->find("ada");
  EXPECT_TRUE(verify_password(ada->password, "secret"));
  EXPECT_FALSE(store_->wants_upgrade(ada->password));
  EXPECT_EQ(ada->home_dir, "/srv/ada");
}

TEST_P(StoreTest, ManageUsersOffIsReadOnly) {
  open(options(GetParam()));
  ASSERT_TRUE(store_->add(person("ada")));
  auto read_only = options(GetParam());
  read_only.manage_users = false;
  if (GetParam() == "memory") return;  // a new instance would be empty
  auto opened = Store::open(*registry_, read_only);
  ASSERT_TRUE(opened);
  store_ = std::move(*opened);
  const auto user = store_->find("ada");
  ASSERT_TRUE(user);
  for (const auto& error : {store_->add(person("bob")).error(), store_->update(*user).error(),
                            store_->remove("ada").error(), store_->note_login("ada", 5).error()}) {
    EXPECT_EQ(error.status, Status::kDenied);
    EXPECT_TRUE(error.text.starts_with("Method disabled error: ")) << error.text;
  }
  EXPECT_EQ(store_->find("ada")->last_login, 0);
}

INSTANTIATE_TEST_SUITE_P(Providers, StoreTest, ::testing::Values("sqlite", "memory"),
                         [](const auto& param) { return param.param; });

using SqliteStoreTest = StoreTest;

// The replaced system's layout at schema version 1, with its quoting and a custom table name.
constexpr char kVersionOne[] =
    R"(CREATE TABLE "people" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "username" varchar(255) NOT NULL UNIQUE, "password" varchar(255) NULL,
  "public_keys" text NULL, "home_dir" varchar(255) NOT NULL, "uid" integer NOT NULL, "gid" integer NOT NULL, "max_sessions" integer NOT NULL,
  "quota_size" bigint NOT NULL, "quota_files" integer NOT NULL, "permissions" text NOT NULL, "used_quota_size" bigint NOT NULL,
  "used_quota_files" integer NOT NULL, "last_quota_update" bigint NOT NULL, "upload_bandwidth" integer NOT NULL, "download_bandwidth" integer NOT NULL,
  "expiration_date" bigint NOT NULL, "last_login" bigint NOT NULL, "status" integer NOT NULL, "filters" text NULL, "filesystem" text NULL);
CREATE TABLE "schema_version" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "version" integer NOT NULL);
INSERT INTO schema_version (version) VALUES (1);
INSERT INTO people VALUES (7, 'ada', '$1$saltsalt$9xy1btjgzLYfb7hivXtC//', '[]', '/srv/ada', 0, 0, 0, 0, 0, '{"/":["*"]}', 5, 1, 0, 0, 0, 0, 42, 1, '{}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO people VALUES (8, 'old', NULL, NULL, '/srv/old', 0, 0, 0, 0, 0, '["list","download"]', 0, 0, 0, 0, 0, 0, 0, 1, NULL, NULL);
INSERT INTO people VALUES (9, 'torn', '', 'x', '/srv/torn', 0, 0, 0, 0, 0, '{"/":["list"]}', 0, 0, 0, 0, 0, 0, 0, 1, '', '');
INSERT INTO people VALUES (11, 'open', '', '', '/srv/open', 0, 0, 0, 0, 0, '{"/":["list"]}', 0, 0, 0, 0, 0, 0, 0, 1, '{', '');
INSERT INTO people VALUES (10, 'bad', '', '', '/srv/bad', 0, 0, 0, 0, 0, '{', 0, 0, 0, 0, 0, 0, 0, 1, '', '');)";

TEST_F(SqliteStoreTest, OpensAnOldDatabaseAndMigratesIt) {
  sql(kVersionOne);
  auto with = options();
  with.users_table = "people";
  auto opened = Store::open(*registry_, with);
  ASSERT_TRUE(opened) << opened.error().text;
  store_ = std::move(*opened);
  const auto ada = store_->find("ada");
  ASSERT_TRUE(ada) << ada.error().text;
  EXPECT_EQ(ada->id, 7);
  EXPECT_EQ(ada->last_login, 42);
  EXPECT_EQ(ada->used_quota_size, 5);
  EXPECT_TRUE(verify_password(ada->password, "secret"));
  EXPECT_EQ(store_->find("old")->permissions_in(host::core::VirtualPath()), kList | kDownload);
  EXPECT_TRUE(store_->find("torn"));
  EXPECT_FALSE(store_->find("bad"));
  EXPECT_FALSE(store_->find("open")) << "its filters cannot be read, and it must not go without";
  EXPECT_EQ(store_->list(0, 0, false)->size(), 3U);  // one unreadable account hides only itself
  ASSERT_TRUE(store_->update(*ada));
  sql("UPDATE people SET virtual_folders = '[{\"virtual_path\":\"/v\",\"mapped_path\":\"/m\"}]' WHERE id = 7 AND "
      "virtual_folders = '[]'");
  EXPECT_EQ(store_->find("ada")->virtual_folders.size(), 1U);
}

TEST_F(SqliteStoreTest, AnAnswerThatChangesNothingIsNotWritten) {
  open(options());
  ASSERT_TRUE(store_->add(person("ada")));
  sql("create table changes(what text); create trigger changed after update on users begin insert into changes "
      "values('x'); end;");
  const auto changes = [&] {
    int count = 0;
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(database().c_str(), &db), SQLITE_OK);
    const auto counted = [](void* into, int, char** values, char**) {
      *static_cast<int*>(into) = std::atoi(values[0]);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(db, "select count(*) from changes", counted, &count, nullptr), SQLITE_OK);
    sqlite3_close(db);
    return count;
  };
  const auto same = store_->accept("ada", R"({"home_dir": "/srv/ada"})");
  ASSERT_TRUE(same) << same.error().text;
  EXPECT_EQ(same->home_dir, "/srv/ada");
  EXPECT_EQ(changes(), 0);
  const auto other = store_->accept("ada", R"({"home_dir": "/srv/elsewhere"})");
  ASSERT_TRUE(other) << other.error().text;
  EXPECT_EQ(other->home_dir, "/srv/elsewhere");
  EXPECT_EQ(changes(), 1);
  const auto with_password = [&](const char* password) {
    const auto stored = store_->accept("ada", std::string(R"({"password": ")") + password + "\"}");
    EXPECT_TRUE(stored && verify_password(stored->password, password)) << password;
    return changes();
  };
  EXPECT_EQ(with_password("first"), 2);
  EXPECT_EQ(with_password("first"), 2) << "the same password";
  EXPECT_EQ(with_password("second"), 3);
  // One that is made otherwise becomes ours.
  sql("UPDATE users SET password = '$1$saltsalt$9xy1btjgzLYfb7hivXtC//' WHERE username = 'ada'");
  EXPECT_EQ(with_password("secret"), 5);
  EXPECT_TRUE(is_own_hash(store_->find("ada")->password));
}

TEST_F(SqliteStoreTest, WhatIsCountedIsNotCountedAgain) {
  open(options());
  ASSERT_TRUE(store_->add(person("ada")));
  sql("create trigger no_time before update of last_quota_update on users begin select raise(fail, 'no'); end;");
  EXPECT_TRUE(store_->add_usage("ada", {10, 1}, 1234)) << "a caller repeats what fails";
  EXPECT_EQ(store_->usage("ada")->size, 10);
  EXPECT_EQ(store_->find("ada")->last_quota_update, 0);
  sql("create trigger no_sum before update of used_quota_size on users begin select raise(fail, 'no'); end;");
  EXPECT_FALSE(store_->add_usage("ada", {10, 1}, 1234));
}

User in_a_bucket(const std::string& name) {
  auto user = person(name);
  user.filesystem = {"fs-s3", R"({"bucket": "b", "region": "r", "access_key": "k", "access_secret": "s"})"};
  return user;
}

// What an older version let pass, or another program wrote.
constexpr char kSpoilEndpoint[] =
    "UPDATE users SET filesystem = replace(filesystem, '\"bucket\"', '\"endpoint\":\"http://a b\",\"bucket\"')";

TEST_F(SqliteStoreTest, StoredSettingsThatAreRefusedByNowKeepNobodyEnabled) {
  open(options());
  ASSERT_TRUE(store_->add(in_a_bucket("ada")));
  sql(kSpoilEndpoint);
  auto ada = store_->find("ada");
  ASSERT_NE(ada->filesystem.settings_json.find("http://a b"), std::string::npos);
  ada->status = 0;
  const auto disabled = store_->update(*ada);
  ASSERT_TRUE(disabled) << disabled.error().text;
  EXPECT_EQ(disabled->status, 0);
  EXPECT_EQ(disabled->filesystem.settings_json, store_->find("ada")->filesystem.settings_json);
  EXPECT_NE(disabled->filesystem.settings_json.find("http://a b"), std::string::npos);
  ada->filesystem.settings_json = Json::parse(ada->filesystem.settings_json)
                                      .patch(Json::parse(R"([{"op": "replace", "path": "/region", "value": "other"}])"))
                                      .dump();
  EXPECT_EQ(store_->update(*ada).error().status, Status::kInvalid) << "what changes is checked";
}

TEST_F(SqliteStoreTest, ALookTakesEachAccountOnce) {
  open(options());
  ASSERT_TRUE(store_->add(in_a_bucket("ada")));
  ASSERT_TRUE(store_->add(person("bob")));
  ASSERT_TRUE(store_->add(person("eve")));
  sql(kSpoilEndpoint);
  sql("UPDATE users SET permissions = '{' WHERE username = 'eve'");
  ASSERT_TRUE(host::core::log::open({.path = (directory_ / "log").string()}));
  const auto looked = Store::look(*registry_, options());
  host::core::log::close();
  ASSERT_TRUE(looked) << looked.error().text;
  EXPECT_EQ(looked->accounts.readable, 2U);
  EXPECT_EQ(looked->accounts.unreadable, 1U);
  EXPECT_EQ(looked->accounts.storages, (std::set<std::string>{"fs-local", "fs-s3"}));
  ASSERT_EQ(looked->wrong_settings.size(), 1U);
  EXPECT_TRUE(looked->wrong_settings.front().starts_with("user \"ada\": its settings are refused: filesystem fs-s3: "))
      << looked->wrong_settings.front();
  std::ifstream in(directory_ / "log");
  const std::string said((std::istreambuf_iterator<char>(in)), {});
  const auto told = said.find("eve");
  ASSERT_NE(told, std::string::npos) << said;
  EXPECT_EQ(said.find("eve", said.find('\n', told)), std::string::npos) << said;
}

// Its secrets lie under the key that is missing, whatever else is wrong with it.
TEST_F(SqliteStoreTest, NoSecondKeyIsMadeWhereAnUnreadableAccountHasASecret) {
  auto with = options();
  with.master_keys = {{}, directory_ / "master.key", true};
  open(with);
  ASSERT_TRUE(store_->add(in_a_bucket("ada")));
  for (const auto* damage : {"permissions = '{'", "permissions = '{\"/\":[\"*\"]}', filesystem = filesystem || '}'"}) {
    sql(std::string("UPDATE users SET ") + damage);
    ASSERT_FALSE(store_->find("ada")) << damage;
    std::filesystem::remove(with.master_keys.file);
    open(with);
    const auto refused = store_->add(in_a_bucket("bob"));
    ASSERT_FALSE(refused) << damage;
    EXPECT_NE(refused.error().text.find("1 account (ada)"), std::string::npos) << refused.error().text;
    EXPECT_FALSE(std::filesystem::exists(with.master_keys.file));
  }
}

TEST_F(SqliteStoreTest, AnUninitialisedStoreGivesAdvice) {
  auto opened = Store::open(*registry_, options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().status, Status::kNotFound);
  EXPECT_NE(opened.error().text.find("sallyport initprovider"), std::string::npos) << opened.error().text;
  ASSERT_TRUE(*Store::initialise(*registry_, options()));
  auto again = Store::initialise(*registry_, options());
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
}

TEST_F(SqliteStoreTest, NamesAreComparedExactly) {
  open(options());
  ASSERT_TRUE(store_->add(person("ada")));
  for (const auto* name : {"Ada", "ada ", "", "a%"})
    EXPECT_EQ(store_->find(name).error().status, Status::kNotFound) << name;
  EXPECT_EQ(store_->find(std::string_view("ada\0", 4)).error().status, Status::kNotFound);
}

TEST_F(SqliteStoreTest, UnknownDriversAreNamed) {
  auto opened = Store::open(*registry_, options("carrier-pigeon"));
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text.find("carrier-pigeon"), std::string::npos) << opened.error().text;
}

}  // namespace
