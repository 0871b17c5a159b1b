// SPDX-License-Identifier: Apache-2.0
//
// Records as the replaced system wrote them, damaged ones included.
#include "host/users/record.h"

#include <gtest/gtest.h>

#include <set>

using namespace host::users;

namespace {

Json stored() {
  return Json::parse(
      R"({"id": 3, "username": "ada", "password": null, "public_keys": [], "home_dir": "/h", "uid": 1, "gid": 2, "max_sessions": 0,
    "quota_size": 0, "quota_files": 0, "permissions": {"/": ["*"]}, "used_quota_size": 7, "used_quota_files": 1, "last_quota_update": 0,
    "upload_bandwidth": 0, "download_bandwidth": 0, "expiration_date": 0, "last_login": 9, "status": 1, "filters": {},
    "filesystem": {"provider": 0, "s3config": {}, "gcsconfig": {}}, "virtual_folders": null})");
}

TEST(Record, ReadsAndWritesTheStoredForm) {
  auto user = from_record(stored().dump());
  ASSERT_TRUE(user) << user.error().text;
  EXPECT_EQ(user->id, 3);
  EXPECT_EQ(user->last_login, 9);
  EXPECT_EQ(user->used_quota_size, 7);
  const auto record = to_record(*user, RecordKind::kNew);
  EXPECT_FALSE(record.contains("id"));
  EXPECT_EQ(record["password"], "");
  EXPECT_EQ(record["public_keys"].dump(), "[]");
  EXPECT_EQ(record["virtual_folders"].dump(), "[]");
  EXPECT_EQ(record["filters"].dump(), "{}");
  EXPECT_EQ(record["filesystem"].dump(), R"({"provider":0,"s3config":{},"gcsconfig":{}})");
  const auto change = to_record(*user, RecordKind::kChange);
  for (const auto* name :
       {"id", "username", "used_quota_size", "used_quota_files", "last_quota_update", "last_login"}) {
    EXPECT_FALSE(change.contains(name)) << name;
  }
  EXPECT_TRUE(change.contains("expiration_date"));
}

TEST(Record, EveryMemberIsADeclaredColumn) {
  const auto declaration = Json::parse(collections_json("people"));
  EXPECT_EQ(declaration["version"], 2);
  const auto& users = declaration["collections"][0];
  EXPECT_EQ(users["table"], "people");
  std::set<std::string> columns;
  for (const auto& column : users["columns"]) columns.insert(column["name"]);
  EXPECT_EQ(columns.size(), 22U);
  for (const auto& record : {to_record(User(), RecordKind::kNew), stored()}) {
    for (const auto& [name, value] : record.items()) EXPECT_TRUE(columns.contains(name)) << name;
  }
}

TEST(Record, OldPermissionListsAreRightsForTheRoot) {
  auto record = stored();
  record["permissions"] = Json::array({"list", "download"});
  auto user = from_record(record.dump());
  ASSERT_TRUE(user);
  EXPECT_EQ(user->permissions_in(host::core::VirtualPath::clean("/x")), kList | kDownload);
}

TEST(Record, UnreadableKeysAndFoldersCountAsEmpty) {
  auto record = stored();
  record["public_keys"] = "not json";
  record["filters"] = "";
  record["filesystem"] = "";
  record["virtual_folders"] = "{";
  auto user = from_record(record.dump());
  ASSERT_TRUE(user) << user.error().text;
  EXPECT_EQ(user->filesystem.backend, "fs-local");
}

TEST(Record, OtherColumnsMustBeReadable) {
  for (const auto* name : {"permissions", "username", "home_dir", "status", "quota_size", "filters", "filesystem"}) {
    auto record = stored();
    record[name] = Json::array({Json{{"odd", 1}}});
    auto user = from_record(record.dump());
    ASSERT_FALSE(user) << name;
    EXPECT_NE(user.error().text.find(name), std::string::npos) << user.error().text;
  }
  EXPECT_FALSE(from_record("[]"));
  EXPECT_FALSE(from_record("{"));
}

}  // namespace
