// SPDX-License-Identifier: Apache-2.0
//
// One table row per rule: a change to a good user, and the refusal it must meet.
#include "host/users/validate.h"

#include <gtest/gtest.h>

#include <functional>

#include "host/users/user_json.h"

using namespace host::users;

namespace {

using host::core::VirtualPath;

User good() {
  User user;
  user.username = "a/b c:\xc3\xa9";  // no syntax of names is imposed
  user.status = 1;
  user.password = "secret";
  user.home_dir = "/srv/ada";
  user.permissions[VirtualPath()] = kAll;
  return user;
}

std::string verdict(User user, std::string_view base = "") {
  auto done = validate(user, base);
  return done ? "ok" : done.error().text;
}

struct Row {
  const char* refusal;  // part of the text; "ok" for none
  std::function<void(User&)> change;
};

TEST(Validate, WhatIsAllowedButHardlyMeant) {
  EXPECT_TRUE(oddities(good()).empty());
  User user = good();
  user.uid = -5;  // leaves the owner alone, as 0 does
  user.gid = 65536;
  user.max_sessions = -2;
  user.quota_size = user.quota_files = user.upload_bandwidth = user.download_bandwidth = user.expiration_date = -1;
  EXPECT_EQ(oddities(user),
            (std::vector<std::string>{"gid 65536 is above 65535: it has no effect, new files keep the server's owner",
                                      "max_sessions -2 is negative: it limits nothing, as 0 does",
                                      "quota_size -1 is negative: it limits nothing, as 0 does",
                                      "quota_files -1 is negative: it limits nothing, as 0 does",
                                      "upload_bandwidth -1 is negative: it limits nothing, as 0 does",
                                      "download_bandwidth -1 is negative: it limits nothing, as 0 does",
                                      "expiration_date -1 is negative: the account never expires, as with 0"}));
}

TEST(Validate, Rules) {
  constexpr char kKey[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDGG2iyaemx6kvtDkar8GQ5x/qfzHJINM1FsNt3zytNk";
  const Row rows[] = {
      {"ok", [](User&) {}},
      {"mandatory parameters missing: username", [](User& u) { u.username.clear(); }},
      {"mandatory parameters missing: home_dir", [](User& u) { u.home_dir.clear(); }},
      {"NUL", [](User& u) { u.username = std::string("a\0b", 3); }},
      {"NUL", [](User& u) { u.home_dir = std::string("/a\0b", 4); }},
      {"please set a password or at least a public_key", [](User& u) { u.password.clear(); }},
      {"ok",
       [&](User& u) {
         u.password.clear();
         u.public_keys = {kKey};
       }},
      {"home_dir must be an absolute path, actual value: rel/x", [](User& u) { u.home_dir = "rel/x"; }},
      {"please grant some permissions to this user", [](User& u) { u.permissions.clear(); }},
      {"permissions for the root dir \"/\" must be set",
       [](User& u) {
         u.permissions = {{VirtualPath::clean("/x"), kAll}};
       }},
      {"no permissions granted for the directory: \"/\"", [](User& u) { u.permissions[VirtualPath()] = 0; }},
      {"ok", [](User& u) { u.permissions[VirtualPath::clean("/none")] = 0; }},
      {"invalid filesystem provider", [](User& u) { u.filesystem.backend = "../evil"; }},
      {"invalid filesystem provider", [](User& u) { u.filesystem.backend = ""; }},
      {"ok", [](User& u) { u.filesystem.backend = "fs-tape"; }},
      {"invalid user status: 2", [](User& u) { u.status = 2; }},
      {"ok", [](User& u) { u.status = 0; }},
      {"could not parse key nr. 1: ssh: no key found",
       [&](User& u) {
         u.public_keys = {kKey, "ssh-rsa nonsense"};
       }},
      {"ok",
       [](User& u) {
         u.uid = -5;
         u.quota_size = -1;
         u.max_sessions = -1;
       }},
      {"ok",
       [](User& u) {
         u.filters.allowed_ip = {"192.0.2.7/24", "2001:db8::/32"};
       }},
      {"could not parse the IP/Mask \"192.0.2.7\"", [](User& u) { u.filters.allowed_ip = {"192.0.2.7"}; }},
      {"could not parse the IP/Mask \"x/8\"", [](User& u) { u.filters.denied_ip = {"x/8"}; }},
      {"ok",
       [](User& u) {
         u.filters.denied_login_methods = {"password", "publickey"};
       }},
      {"invalid login method: \"telnet\"", [](User& u) { u.filters.denied_login_methods = {"telnet"}; }},
      {"invalid denied_login_methods",
       [](User& u) {
         u.filters.denied_login_methods = {"password", "publickey", "keyboard-interactive"};
       }},
      {"must be absolute",
       [](User& u) {
         u.filters.file_extensions = {{"rel", {".a"}, {}}};
       }},
      {"allow and deny nothing",
       [](User& u) {
         u.filters.file_extensions = {{"/x", {}, {}}};
       }},
      {"duplicate file_extensions path \"/x\"",
       [](User& u) {
         u.filters.file_extensions = {{"/x", {".a"}, {}}, {"/x/../x/", {".b"}, {}}};
       }},
      {"ok",
       [](User& u) {
         u.virtual_folders = {{"/v", "/mnt/a"}, {"/w", "/mnt/ab"}, {"/vv", "/srv/ada2"}};
       }},
      {"is not absolute",
       [](User& u) {
         u.virtual_folders = {{"v", "/mnt/a"}};
       }},
      {"must not be \"/\"",
       [](User& u) {
         u.virtual_folders = {{"/v/..", "/mnt/a"}};
       }},
      {"is not absolute",
       [](User& u) {
         u.virtual_folders = {{"/v", "mnt/a"}};
       }},
      {"invalid mapped folder",
       [](User& u) {
         u.virtual_folders = {{"/v", "/srv/ada/"}};
       }},
      {"invalid mapped folder",
       [](User& u) {
         u.virtual_folders = {{"/v", "/srv/x/../ada/sub"}};
       }},
      {"invalid mapped folder",
       [](User& u) {
         u.virtual_folders = {{"/v", "/srv"}};
       }},
      {"invalid mapped folder",
       [](User& u) {
         u.virtual_folders = {{"/v", "/"}};
       }},
      {"invalid mapped folder",
       [](User& u) {
         u.virtual_folders = {{"/v", "/mnt/a"}, {"/w", "/mnt/a/b"}};
       }},
      {"invalid virtual folder",
       [](User& u) {
         u.virtual_folders = {{"/v", "/mnt/a"}, {"/v/w", "/mnt/b"}};
       }},
      {"invalid virtual folder",
       [](User& u) {
         u.virtual_folders = {{"/v", "/mnt/a"}, {"/v/", "/mnt/b"}};
       }},
  };
  for (const auto& row : rows) {
    auto user = good();
    row.change(user);
    const auto text = verdict(user);
    EXPECT_NE(text.find(row.refusal), std::string::npos) << "wanted " << row.refusal << ", got " << text;
    EXPECT_TRUE(text == "ok" || text.starts_with("Validation error: ")) << text;
  }
}

TEST(Validate, BringsPathsIntoTheStoredForm) {
  auto user = good();
  user.home_dir = "/srv/../x/";  // stays as it is
  user.virtual_folders = {{"/a//b/", "/mnt/./c/"}};
  user.filters.file_extensions = {{"/p/", {".a"}, {}}};
  ASSERT_TRUE(validate(user, ""));
  EXPECT_EQ(user.home_dir, "/srv/../x/");
  EXPECT_EQ(user.virtual_folders[0].virtual_path, "/a/b");
  EXPECT_EQ(user.virtual_folders[0].mapped_path, "/mnt/c");
  EXPECT_EQ(user.filters.file_extensions[0].path, "/p");
  user.filesystem.backend = "fs-s3";
  ASSERT_TRUE(validate(user, ""));
  EXPECT_TRUE(user.virtual_folders.empty());
}

TEST(Validate, DefaultHomeStaysBelowItsBase) {
  auto user = good();
  user.home_dir.clear();
  user.username = "ada";
  ASSERT_TRUE(validate(user, "/srv/users"));
  EXPECT_EQ(user.home_dir, "/srv/users/ada");
  for (const auto* name : {"..", ".", "../x", "a/b"}) {
    user.home_dir.clear();
    user.username = name;
    EXPECT_NE(verdict(user, "/srv/users"), "ok") << name;
  }
}

}  // namespace
