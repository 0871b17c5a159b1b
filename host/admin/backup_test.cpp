// SPDX-License-Identifier: Apache-2.0
//
// Dumps that come back whole, files that are whole or not there, and accounts that are taken or refused one by one.
#include "host/admin/backup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/admin/testing/accounts.h"
#include "host/core/limits.h"

namespace host::admin {
namespace {

using core::Status;
using Json = nlohmann::ordered_json;

struct BackupTest : ::testing::Test {
  std::filesystem::path write(const std::string& text) {
    const auto file = accounts.directory / "in.json";
    std::ofstream(file) << text;
    return file;
  }
  auto restore(const std::string& text, RestoreMode mode = RestoreMode::kUpdate) {
    return read_backup(*accounts.store, write(text), mode, [] { return true; });
  }
  std::string read(const std::filesystem::path& file) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }
  testing::Accounts accounts{"sqlite"};
};

TEST_F(BackupTest, ComesBackWhole) {
  accounts.add("ann");
  accounts.add("bob", 5);
  for (const bool indent : {false, true}) {
    const auto file = accounts.directory / "deep" / "er" / "out.json";
    const auto written = write_backup(*accounts.store, file, indent);
    ASSERT_TRUE(written) << written.error().text;
    EXPECT_EQ(*written, 2U);
    struct stat info {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600U);
    ASSERT_EQ(::stat(file.parent_path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0700U);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(file.parent_path()), {}), 1);  // no temporary left
    const auto json = Json::parse(read(file));
    ASSERT_EQ(json.at("users").size(), 2U);
    EXPECT_EQ(json["users"][0].at("password"), accounts.store->find("ann")->password);
    testing::Accounts other("sqlite");
    const auto restored = read_backup(*other.store, file, RestoreMode::kUpdate, [] { return true; });
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->added, 2U);
    EXPECT_EQ(other.store->find("bob")->quota_files, 5);
  }
}

TEST_F(BackupTest, PagesHoldEveryAccount) {
  const auto count = core::limits::kUsersPerPage + 1;
  for (std::size_t i = 0; i < count; ++i) accounts.add("user" + std::to_string(i));
  const auto written = write_backup(*accounts.store, accounts.directory / "out.json", false);
  ASSERT_TRUE(written);
  EXPECT_EQ(*written, count);
  EXPECT_EQ(Json::parse(read(accounts.directory / "out.json")).at("users").size(), count);
}

// Pages as a dump reads them.
TEST_F(BackupTest, AccountsThatComeAndGoMeanwhileHideNobody) {
  for (const auto* name : {"bob", "cem", "dan"}) accounts.add(name);
  const auto names = [&](std::string_view after) {
    const auto page = accounts.store->list_after(after, 2);
    std::string all;
    for (const auto& user : page->users) all += user.username + " ";
    return all + "/ " + page->last_name;
  };
  EXPECT_EQ(names(""), "bob cem / cem");
  accounts.add("ann");
  EXPECT_EQ(names("cem"), "dan / dan");
  ASSERT_TRUE(accounts.store->remove("bob"));
  ASSERT_TRUE(accounts.store->remove("cem"));
  EXPECT_EQ(names("cem"), "dan / dan");
  EXPECT_EQ(names("dan"), "/ ");
}

TEST_F(BackupTest, AFailedDumpLeavesTheOldFile) {
  const auto file = accounts.directory / "out.json";
  std::filesystem::create_directory(file);  // cannot be replaced by a file
  EXPECT_FALSE(write_backup(*accounts.store, file, false));
  EXPECT_TRUE(std::filesystem::is_directory(file));
}

TEST_F(BackupTest, ModesAndRefusals) {
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

TEST_F(BackupTest, WhatCannotBeReadIsRefusedWhole) {
  for (const auto* text : {"", "{", "[]", R"({"users": 3})"}) {
    const auto outcome = restore(text);
    ASSERT_FALSE(outcome) << text;
    EXPECT_EQ(outcome.error().status, Status::kInvalid) << text;
  }
  const auto go = [] { return true; };
  EXPECT_FALSE(read_backup(*accounts.store, accounts.directory, RestoreMode::kUpdate, go));
  EXPECT_FALSE(read_backup(*accounts.store, accounts.directory / "none", RestoreMode::kUpdate, go));
  const auto large = restore(std::string(core::limits::kMaxBackupBytes + 1, ' '));
  ASSERT_FALSE(large);
  EXPECT_NE(large.error().message().find("10485760"), std::string::npos);
  EXPECT_EQ(restore("{}")->added, 0U);
  const auto stopped =
      read_backup(*accounts.store, write(R"({"users": [1]})"), RestoreMode::kUpdate, [] { return false; });
  EXPECT_EQ(stopped.error().status, Status::kCancelled);
}

}  // namespace
}  // namespace host::admin
