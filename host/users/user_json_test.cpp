// SPDX-License-Identifier: Apache-2.0
//
// The JSON form: order and omission of members, merging, the three ways to name a storage, hidden secrets.
#include "host/users/user_json.h"

#include <gtest/gtest.h>

#include "host/users/filesystem_json.h"

using namespace host::users;
namespace core = host::core;

namespace {

User sample() {
  User user;
  user.username = "ada";
  user.status = 1;
  user.password = "hash";
  user.home_dir = "/srv/ada";
  user.permissions[host::core::VirtualPath()] = kAll;
  return user;
}

core::Result<void> merge(User& user, const char* text) { return merge_json(user, Json::parse(text)); }

TEST(UserJson, EmitsTheReferenceOrderAndOmitsEmptyMembers) {
  EXPECT_EQ(
      to_json(sample(), Secrets::kBlank).dump(),
      R"({"id":0,"status":1,"username":"ada","expiration_date":0,"home_dir":"/srv/ada","uid":0,"gid":0,"max_sessions":0,)"
      R"("quota_size":0,"quota_files":0,"permissions":{"/":["*"]},"used_quota_size":0,"used_quota_files":0,"last_quota_update":0,)"
      R"("upload_bandwidth":0,"download_bandwidth":0,"last_login":0,"filters":{},"filesystem":{"provider":0,"s3config":{},"gcsconfig":{}}})");
  auto user = sample();
  user.public_keys = {"k"};
  user.virtual_folders = {{"/v", "/m"}};
  const auto json = to_json(user, Secrets::kKeep);
  std::vector<std::string> names;
  for (const auto& [name, value] : json.items()) names.push_back(name);
  EXPECT_EQ(names[4], "password");
  EXPECT_EQ(names[5], "public_keys");
  EXPECT_EQ(names[7], "virtual_folders");
  EXPECT_EQ(json["virtual_folders"].dump(), R"([{"virtual_path":"/v","mapped_path":"/m"}])");
}

TEST(UserJson, RoundTripsEverything) {
  const auto json = Json::parse(
      R"({"id": 5, "status": 1, "username": "u", "expiration_date": 99, "password": "p", "public_keys": ["a", "b"],
    "home_dir": "/h", "virtual_folders": [{"virtual_path": "/v", "mapped_path": "/m"}], "uid": -1, "gid": 70000, "max_sessions": 3,
    "quota_size": 9007199254740993, "quota_files": 2, "permissions": {"/": ["list", "download"], "/x": [], "/y": ["*"]}, "used_quota_size": 1,
    "used_quota_files": 2, "last_quota_update": 3, "upload_bandwidth": 4, "download_bandwidth": 5, "last_login": 6,
    "filters": {"allowed_ip": ["10.0.0.0/8"], "denied_ip": ["1.0.0.0/8"], "denied_login_methods": ["password"],
      "file_extensions": [{"path": "/", "allowed_extensions": [".jpg"], "denied_extensions": [".zip"]}, {"path": "/p", "denied_extensions": [".a"]}]},
    "filesystem": {"provider": 0, "s3config": {}, "gcsconfig": {}}})");
  User user;
  ASSERT_TRUE(merge_json(user, json));
  EXPECT_EQ(to_json(user, Secrets::kKeep), json);
}

TEST(UserJson, MergeKeepsWhatIsAbsent) {
  auto user = sample();
  user.filters.allowed_ip = {"10.0.0.0/8"};
  user.filters.denied_ip = {"11.0.0.0/8"};
  user.public_keys = {"k"};
  const auto before = to_json(user, Secrets::kKeep);
  ASSERT_TRUE(merge(user, "{}"));
  ASSERT_TRUE(merge(user, R"({"unknown": 1, "username": null, "permissions": {}, "filters": {}, "filesystem": {}})"));
  EXPECT_EQ(to_json(user, Secrets::kKeep), before);
  ASSERT_TRUE(merge(user, R"({"filters": {"allowed_ip": []}, "public_keys": []})"));
  EXPECT_TRUE(user.filters.allowed_ip.empty());
  EXPECT_EQ(user.filters.denied_ip.size(), 1U);
  EXPECT_TRUE(user.public_keys.empty());
}

TEST(UserJson, PermissionsInFollowTheNearestEntry) {
  User user;
  ASSERT_TRUE(merge(
      user, R"({"permissions": {"/": ["list"], "/a": [], "/a/b//c/": ["*", "list"], "/d": ["upload", "chmod"]}})"));
  const auto in = [&](const char* dir) { return user.permissions_in(host::core::VirtualPath::clean(dir)); };
  EXPECT_EQ(in("/"), kList);
  EXPECT_EQ(in("/zzz/y"), kList);
  EXPECT_EQ(in("/a"), 0U);
  EXPECT_EQ(in("/a/b"), 0U);
  EXPECT_EQ(in("/a/b/c/d/e"), kAll);
  EXPECT_EQ(in("/a/bb"), 0U);
  EXPECT_EQ(in("/ab"), kList);
  EXPECT_EQ(in("/d/x"), kUpload | kChmod);
  EXPECT_EQ(User().permissions_in(host::core::VirtualPath()), 0U);
}

TEST(UserJson, RefusesWrongTypesAndChangesNothing) {
  for (const auto* text : {R"([])",
                           R"({"status": "1"})",
                           R"({"status": 99999999999})",
                           R"({"uid": 18446744073709551615})",
                           R"({"uid": 1.5})",
                           R"({"username": 5})",
                           R"({"public_keys": "x"})",
                           R"({"public_keys": [1]})",
                           R"({"permissions": []})",
                           R"({"permissions": {"/": "list"}})",
                           R"({"permissions": {"/": ["fly"]}})",
                           R"({"permissions": {"/": [1]}})",
                           R"({"permissions": {"rel": ["list"]}})",
                           R"({"permissions": {"/..": ["list"]}})",
                           R"({"permissions": {"": ["list"]}})",
                           R"({"permissions": {"/": ["*","*","*","*","*","*","*","*","*","*","*","*","*"]}})",
                           R"({"filters": []})",
                           R"({"filters": {"denied_ip": "x"}})",
                           R"({"filters": {"file_extensions": [1]}})",
                           R"({"virtual_folders": {}})",
                           R"({"virtual_folders": [{"virtual_path": 1}]})",
                           R"({"filesystem": 1})",
                           R"({"filesystem": {"provider": 9}})",
                           R"({"filesystem": {"provider": true}})",
                           R"({"filesystem": {"provider": 1, "s3config": []}})"}) {
    auto user = sample();
    auto done = merge(user, text);
    ASSERT_FALSE(done) << text;
    EXPECT_TRUE(done.error().text.starts_with("Validation error: ")) << done.error().text;
    EXPECT_EQ(to_json(user, Secrets::kKeep), to_json(sample(), Secrets::kKeep)) << text;
  }
  auto user = sample();
  EXPECT_EQ(merge(user, R"({"permissions": {"/": ["foo"]}})").error().text,
            R"(Validation error: invalid permission: "foo")");
}

TEST(UserJson, UnknownMembersAreNamedButMerged) {
  const auto told = [](const char* text) {
    const auto done = check_members(Json::parse(text));
    return done ? std::string() : done.error().text;
  };
  EXPECT_EQ(told(R"({"username": "a", "filters": {}, "virtual_folders": null, "filesystem": {"config": {"x": 1}}})"),
            "");
  EXPECT_NE(told(R"({"filter": {}})").find("\"filter\""), std::string::npos);
  EXPECT_NE(told(R"({"filters": {"denied_ips": []}})").find("\"filters.denied_ips\""), std::string::npos);
  EXPECT_NE(told(R"({"filters": {"file_extensions": [{"paths": "/"}]}})").find("file_extensions.paths"),
            std::string::npos);
  EXPECT_NE(told(R"({"virtual_folders": [{"path": "/"}]})").find("virtual_folders.path"), std::string::npos);
  EXPECT_NE(told(R"({"filesystem": {"s3": {}}})").find("filesystem.s3"), std::string::npos);
  User user;
  EXPECT_TRUE(merge_json(user, Json::parse(R"({"status": 1, "from_a_newer_client": true})")));
  EXPECT_EQ(user.status, 1);
}

TEST(UserJson, StoragesByNumberAndByName) {
  User user = sample();
  ASSERT_TRUE(merge(
      user,
      R"({"filesystem": {"provider": 1, "s3config": {"bucket": "b", "region": "", "access_secret": "$aes$key$ff00"}, "gcsconfig": {"bucket": "no"}}})"));
  EXPECT_EQ(user.filesystem.backend, "fs-s3");
  drop_empty_settings(user.filesystem);
  EXPECT_EQ(to_json(user, Secrets::kKeep)["filesystem"].dump(),
            R"({"provider":1,"s3config":{"bucket":"b","access_secret":"$aes$key$ff00"},"gcsconfig":{}})");
  EXPECT_EQ(to_json(user, Secrets::kBlank)["filesystem"]["s3config"].dump(), "{}");
  ASSERT_TRUE(merge(
      user,
      R"({"filesystem": {"provider": 2, "gcsconfig": {"bucket": "g", "credentials": "c", "automatic_credentials": 1}}})"));
  EXPECT_EQ(to_json(user, Secrets::kKeep)["filesystem"].dump(),
            R"({"provider":2,"s3config":{},"gcsconfig":{"bucket":"g","credentials":"c","automatic_credentials":1}})");
  EXPECT_EQ(to_json(user, Secrets::kBlank)["filesystem"]["gcsconfig"].dump(), R"({"automatic_credentials":1})");
  ASSERT_TRUE(
      merge(user, R"({"filesystem": {"provider": "fs-tape", "config": {"token": "t", "slots": 4, "fast": true}}})"));
  EXPECT_EQ(user.filesystem.backend, "fs-tape");
  EXPECT_EQ(user.filesystem.settings_json, R"({"token":"t","slots":4,"fast":true})");
  EXPECT_EQ(to_json(user, Secrets::kKeep)["filesystem"].dump(),
            R"({"provider":"fs-tape","s3config":{},"gcsconfig":{},"config":{"token":"t","slots":4,"fast":true}})");
  EXPECT_EQ(to_json(user, Secrets::kBlank)["filesystem"]["config"].dump(), R"({"slots":4,"fast":true})");
  ASSERT_TRUE(merge(user, R"({"filesystem": {"provider": 0}})"));
  EXPECT_EQ(user.filesystem.backend, "fs-local");
  EXPECT_EQ(user.filesystem.settings_json, "{}");
}

}  // namespace
