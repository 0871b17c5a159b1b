// SPDX-License-Identifier: Apache-2.0
//
// Dumps that hold everybody, in files that are whole or not there.
#include "host/admin/backup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/admin/restore.h"
#include "host/admin/testing/accounts.h"
#include "host/core/limits.h"

namespace host::admin {
namespace {

using core::Status;
using Json = nlohmann::ordered_json;

struct BackupTest : ::testing::Test {
  auto dump(const std::filesystem::path& file, bool indent = false) {
    return write_backup(*accounts.store, file, indent, [] { return true; });
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
    const auto written = dump(file, indent);
    ASSERT_TRUE(written) << written.error().text;
    EXPECT_EQ(written->users, 2U);
    EXPECT_EQ(written->bytes, std::filesystem::file_size(file));
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
    const auto restored = read_backup(
        *other.store, file, RestoreMode::kUpdate, [] { return true; }, [](const auto&, bool) {});
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->added, 2U);
    EXPECT_EQ(other.store->find("bob")->quota_files, 5);
  }
}

TEST_F(BackupTest, PagesHoldEveryAccount) {
  const auto count = core::limits::kUsersPerPage + 1;
  for (std::size_t i = 0; i < count; ++i) accounts.add("user" + std::to_string(i));
  const auto written = dump(accounts.directory / "out.json");
  ASSERT_TRUE(written);
  EXPECT_EQ(written->users, count);
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
  EXPECT_FALSE(dump(file));
  EXPECT_TRUE(std::filesystem::is_directory(file));
}

TEST_F(BackupTest, WithoutAnAccountThereIsNoDump) {
  for (const auto* name : {"ann", "bob", "cem"}) accounts.add(name);
  const auto file = accounts.directory / "out" / "out.json";
  ASSERT_TRUE(dump(file));
  const auto before = read(file);
  accounts.sql("UPDATE users SET filters = '{torn' WHERE username = 'bob'");
  const auto refused = dump(file);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, Status::kIo);
  EXPECT_NE(refused.error().text.find("1 of the users"), std::string::npos) << refused.error().text;
  EXPECT_NE(refused.error().text.find("\"bob\""), std::string::npos) << refused.error().text;
  EXPECT_EQ(read(file), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(file.parent_path()), {}), 1);
  const auto sealed = accounts.store->reseal();
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->failed, 1U);
}

TEST_F(BackupTest, AStopEndsADumpBetweenPages) {
  const auto count = core::limits::kUsersPerPage + 1;
  for (std::size_t i = 0; i < count; ++i) accounts.add("user" + std::to_string(i));
  const auto file = accounts.directory / "out" / "out.json";
  int asked = 0;
  const auto stopped = write_backup(*accounts.store, file, false, [&] { return ++asked < 2; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().status, Status::kBusy);
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(std::filesystem::is_empty(file.parent_path()));
}

TEST_F(BackupTest, WhatACrashLeftGoesAndNothingElse) {
  const auto directory = accounts.directory / "out";
  std::filesystem::create_directory(directory);
  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::minutes(61);
  for (const auto* name : {".sallyport-dump-aB3xYz", ".sallyport-dump-kept-by-hand", "old.json"}) {
    std::ofstream(directory / name) << "x";
    std::filesystem::last_write_time(directory / name, long_ago);
  }
  std::ofstream(directory / ".sallyport-dump-others") << "x";  // of a server that is at work
  ASSERT_TRUE(dump(directory / "new.json"));
  EXPECT_FALSE(std::filesystem::exists(directory / ".sallyport-dump-aB3xYz"));
  for (const auto* name : {".sallyport-dump-kept-by-hand", "old.json", "new.json", ".sallyport-dump-others"})
    EXPECT_TRUE(std::filesystem::exists(directory / name)) << name;
}

}  // namespace
}  // namespace host::admin
