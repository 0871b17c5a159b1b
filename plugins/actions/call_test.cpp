// SPDX-License-Identifier: Apache-2.0
#include "call.h"

#include <gtest/gtest.h>

#include <map>

namespace actions {
namespace {

using Words = std::vector<std::string>;

std::map<std::string, std::string> map_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  return {pairs.begin(), pairs.end()};
}

TEST(ActionCall, RenameHasAllArgumentsAndNoSize) {
  auto call = file_call(R"({"kind": "rename", "username": "ada", "time": 1, "path": "/srv/a", "target_path": "/srv/b",
                            "local_file": true})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->arguments, (Words{"rename", "ada", "/srv/a", "/srv/b", ""}));
  EXPECT_EQ(map_of(call->variables), (std::map<std::string, std::string>{{"SFTPGO_ACTION", "rename"},
                                                                         {"SFTPGO_ACTION_USERNAME", "ada"},
                                                                         {"SFTPGO_ACTION_PATH", "/srv/a"},
                                                                         {"SFTPGO_ACTION_TARGET", "/srv/b"},
                                                                         {"SFTPGO_ACTION_SSH_CMD", ""},
                                                                         {"SFTPGO_ACTION_FILE_SIZE", ""},
                                                                         {"SFTPGO_ACTION_LOCAL_FILE", "true"}}));
  EXPECT_EQ(map_of(call->query), (std::map<std::string, std::string>{{"action", "rename"},
                                                                     {"username", "ada"},
                                                                     {"path", "/srv/a"},
                                                                     {"target_path", "/srv/b"},
                                                                     {"local_file", "true"}}));
  EXPECT_TRUE(call->body.empty());
}

TEST(ActionCall, PathsAreWhatTheyAreInBytes) {
  auto call =
      file_call(R"({"kind": "rename", "path": "/a\ufffd", "path_bytes": [47, 97, 255], "target_path": "/b\ufffd",
                            "target_path_bytes": [47, 98, 195]})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->arguments, (Words{"rename", "", "/a\xff", "/b\xc3", ""}));
  EXPECT_EQ(map_of(call->variables)["SFTPGO_ACTION_PATH"], "/a\xff");
  EXPECT_EQ(map_of(call->query)["target_path"], "/b\xc3");
}

TEST(ActionCall, SizeOfZeroIsNoSize) {
  for (const auto& [size, text] : {std::pair("0", ""), std::pair("18", "18")}) {
    auto call = file_call(std::string(R"({"kind": "upload", "local_file": false, "file_size": )") + size + "}");
    ASSERT_TRUE(call);
    EXPECT_EQ(map_of(call->variables)["SFTPGO_ACTION_FILE_SIZE"], text);
    EXPECT_EQ(map_of(call->query).count("file_size"), *text == '\0' ? 0u : 1u);
    EXPECT_EQ(map_of(call->query)["local_file"], "false");
  }
}

TEST(ActionCall, UserWithoutSecretsInTheBody) {
  auto call = user_call(R"({"kind": "user-add", "username": "ada", "password_hash": "$1$h", "user":
    {"id": 7, "status": 1, "username": "ada", "expiration_date": 0, "home_dir": "/srv/ada", "uid": 5, "gid": 6,
     "quota_size": 1, "quota_files": 2, "upload_bandwidth": 3, "download_bandwidth": 4, "max_sessions": 8,
     "filesystem": {"provider": 0}}})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->arguments, (Words{"add", "ada", "7", "1", "0", "/srv/ada", "5", "6"}));
  auto variables = map_of(call->variables);
  EXPECT_EQ(variables.size(), 15u);
  EXPECT_EQ(variables["SFTPGO_USER_PASSWORD"], "$1$h");
  EXPECT_EQ(variables["SFTPGO_USER_FS_PROVIDER"], "0");
  EXPECT_EQ(variables["SFTPGO_USER_QUOTA_FILES"], "2");
  EXPECT_EQ(variables["SFTPGO_USER_ACTION"], "add");
  EXPECT_EQ(call->query, (std::vector<std::pair<std::string, std::string>>{{"action", "add"}}));
  EXPECT_NE(call->body.find("\"home_dir\""), std::string::npos);
  EXPECT_EQ(call->body.find("$1$h"), std::string::npos);
}

TEST(ActionCall, WhatIsNoEventIsRefused) {
  EXPECT_FALSE(file_call("nothing"));
  EXPECT_FALSE(user_call(R"({"kind": "user-add"})"));
}

}  // namespace
}  // namespace actions
