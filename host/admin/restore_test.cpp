// SPDX-License-Identifier: Apache-2.0
//
// Accounts that are taken or refused one by one, and files that are none of the kind.
#include "host/admin/restore.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "host/admin/backup.h"
#include "host/admin/testing/accounts.h"
#include "host/core/limits.h"

namespace host::admin {
namespace {

using core::Status;
using Json = nlohmann::ordered_json;

struct RestoreTest : ::testing::Test {
  core::Result<RestoreSummary> restore_file(const std::filesystem::path& file,
                                            RestoreMode mode = RestoreMode::kUpdate) {
    return read_backup(
        *accounts.store, file, mode, [] { return true; }, [](const auto&, bool) {});
  }
  core::Result<RestoreSummary> restore(const std::string& text, RestoreMode mode = RestoreMode::kUpdate) {
    std::ofstream(accounts.directory / "in.json") << text;
    return restore_file(accounts.directory / "in.json", mode);
  }
  testing::Accounts accounts{"sqlite"};
};

TEST_F(RestoreTest, ModesAndRefusals) {
  const auto ann = accounts.add("ann");
  auto changed = Json{{"username", "ann"}, {"password", ann.password},         {"home_dir", "/tmp/new"},
                      {"status", 1},       {"permissions", {{"/", {"list"}}}}, {"id", 77},
                      {"last_login", 77}};
  auto bad = changed;
  bad["username"] = "bad";
  bad["status"] = 9;
  auto cem = changed;
  cem["username"] = "cem";
  cem["used_quota_files"] = 12;
  const auto text = Json{{"users", {changed, bad, "nonsense", cem}}}.dump();

  const auto skipped = restore(text, RestoreMode::kSkipExisting);
  ASSERT_TRUE(skipped) << skipped.error().text;
  EXPECT_EQ(skipped->skipped, 1U);
  EXPECT_EQ(skipped->added, 1U);
  EXPECT_EQ(skipped->refused, 2U);
  EXPECT_EQ(skipped->refusals.front().username, "bad");
  EXPECT_EQ(accounts.store->find("ann")->home_dir, ann.home_dir);
  EXPECT_EQ(accounts.store->find("cem")->used_quota_files, 0);

  const auto updated = restore(text);
  ASSERT_TRUE(updated);
  EXPECT_EQ(updated->updated, 2U);
  const auto now = *accounts.store->find("ann");
  EXPECT_EQ(now.home_dir, "/tmp/new");
  EXPECT_EQ(now.id, ann.id);
  EXPECT_EQ(now.last_login, 0);
  EXPECT_NE(to_json(*updated).find(R"({"username":"bad","reason":"Validation error: invalid user status: 9"})"),
            std::string::npos);
}

TEST_F(RestoreTest, WhatCannotBeReadIsRefusedWhole) {
  const auto ann =
      R"({"users": [{"username": "ann", "password": "x", "home_dir": "/tmp/a", "permissions": {"/": ["*"]}})";
  for (const auto& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("[[3]]"), std::string(R"({"users": 3})"),
        std::string(R"({"users": {"0": 1}})"), std::string(ann), ann + std::string("]} x"),
        ann + std::string(", ") + std::string(100, '[') + std::string(100, ']') + "]}"}) {
    const auto outcome = restore(text);
    ASSERT_FALSE(outcome) << text;
    EXPECT_EQ(outcome.error().status, Status::kInvalid) << text;
    EXPECT_NE(outcome.error().message().find("wanted is what dumpdata writes"), std::string::npos) << text;
  }
  EXPECT_FALSE(accounts.store->find("ann")) << "a torn file changes nothing";
  EXPECT_FALSE(restore_file(accounts.directory));
  EXPECT_FALSE(restore_file(accounts.directory / "none"));
  const auto large = restore(std::string(core::limits::kMaxBackupBytes + 1, ' '));
  ASSERT_FALSE(large);
  EXPECT_NE(large.error().message().find(std::to_string(core::limits::kMaxBackupBytes)), std::string::npos);
  // Another file of JSON, or a misspelt member, is no list of nobody.
  for (const auto* text : {"{}", R"({"user": []})", R"({"Users": [], "sftpd": {"users": []}})"}) {
    const auto other = restore(text);
    ASSERT_FALSE(other) << text;
    EXPECT_EQ(other.error().status, Status::kInvalid) << text;
    EXPECT_NE(other.error().message().find("has no list \"users\""), std::string::npos) << other.error().message();
  }
  for (const auto* text : {R"({"users": null})", R"({"users": []})", R"({"version": 1, "users": []})"})
    EXPECT_EQ(restore(text)->seen(), 0U) << text;
}

TEST_F(RestoreTest, WhereAndWhatIsWrongIsTold) {
  const auto why = [this](const std::string& text) {
    const auto outcome = restore(text);
    const auto file = (accounts.directory / "in.json").string();
    return outcome ? "" : outcome.error().text.substr(outcome.error().text.find(file) + file.size());
  };
  const auto begins = [&](const std::string& text, const std::string& wanted) {
    EXPECT_EQ(why(text).substr(0, wanted.size() + 1), wanted + ";") << text;
  };
  begins("", " is empty");
  begins("{\n  \"users\": [\n    {\"password\": \"secr", " ends too early at line 3, column 23");
  begins("{\"users\": [{\"password\": \"a\" x}]}", " is not valid JSON at line 1, column 29");
  begins("[]", " is JSON, but not an object");
  begins(R"({"users": {}})", ": its member \"users\" is not a list");
  begins("{\"users\": " + std::string(64, '[') + std::string(64, ']') + "}", " has more than 64 levels of nesting");
}

// Other members are not taken for accounts, whatever they hold.
TEST_F(RestoreTest, OnlyTheListCounts) {
  const auto done = restore(R"({"other": {"users": [1, 2]}, "list": [[3], {}], "users": [1, {}, []], "more": [4]})");
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(done->seen(), 3U);
  EXPECT_EQ(done->refused, 3U);
}

TEST_F(RestoreTest, AStopLeavesTheRestAndTellsOfTheOthers) {
  for (const auto* name : {"ann", "bob", "cem"}) accounts.add(name, 1);
  const auto file = accounts.directory / "all.json";
  ASSERT_TRUE(write_backup(*accounts.store, file, false, [] { return true; }));
  ASSERT_TRUE(accounts.store->remove("bob"));
  int asked = 0;
  std::string told;
  const auto done = read_backup(
      *accounts.store, file, RestoreMode::kUpdate, [&] { return ++asked < 3; },
      [&](const auto& user, bool is_new) { told += user.username + (is_new ? " new " : " "); });
  ASSERT_TRUE(done);
  EXPECT_EQ(done->ended.status, Status::kBusy);
  EXPECT_EQ(done->added, 1U);
  EXPECT_EQ(done->updated, 1U);
  EXPECT_EQ(told, "ann bob new ");
  EXPECT_EQ(restore(R"({"users": []})")->ended.status, Status::kOk);
}

TEST_F(RestoreTest, AProviderThatFailsAgainAndAgainEndsIt) {
  for (int i = 0; i < 20; ++i) accounts.add("user" + std::to_string(i));
  const auto file = accounts.directory / "all.json";
  ASSERT_TRUE(write_backup(*accounts.store, file, false, [] { return true; }));
  accounts.sql("ALTER TABLE users RENAME TO gone");
  const auto failed = restore_file(file);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->ended.status, Status::kIo);
  EXPECT_EQ(failed->refused, 5U);
  accounts.sql("ALTER TABLE gone RENAME TO users");
  const auto skipped = restore_file(file, RestoreMode::kSkipExisting);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(skipped->ended.status, Status::kOk);
  EXPECT_EQ(skipped->skipped, 20U);
}

TEST_F(RestoreTest, BadAccountsEndNothing) {
  Json users = Json::array();
  for (int i = 0; i < 20; ++i) users.push_back({{"username", "u" + std::to_string(i)}, {"status", 9}});
  const auto done = restore(Json{{"users", users}}.dump());
  ASSERT_TRUE(done);
  EXPECT_EQ(done->ended.status, Status::kOk);
  EXPECT_EQ(done->refused, 20U);
}

}  // namespace
}  // namespace host::admin
