// SPDX-License-Identifier: Apache-2.0
#include "host/cli/user_fields_json.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "host/users/validate.h"

namespace host::cli {
namespace {

class UserFieldsTest : public testing::Test {
 protected:
  UserFieldsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "user_fields_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~UserFieldsTest() override { std::filesystem::remove_all(directory_); }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
    return directory_ / name;
  }

  std::filesystem::path directory_;
};

TEST_F(UserFieldsTest, OnlyWhatIsGivenAppears) {
  EXPECT_EQ(to_json({})->dump(), "{}");
  UserFields fields;
  fields.status = 0;
  fields.home_dir = "/srv/../srv/ann";
  EXPECT_EQ(to_json(fields)->dump(), R"({"home_dir":"/srv/ann","status":0})");
}

TEST_F(UserFieldsTest, RefusalsNameTheOptionsThatWereTyped) {
  const std::pair<const char*, const char*> rows[] = {
      {"mandatory parameters missing: username", "(NAME)"},
      {"mandatory parameters missing: home_dir", "(--home-dir)"},
      {"please set a password or at least a public_key",
       "(--password-stdin, --password-file, --public-key, --public-key-file)"},
      {"could not parse key nr. 0: ssh: no key found", "(--public-key, --public-key-file)"},
      {"permissions for the root dir \"/\" must be set", "(--permissions /=...; all rights are given at once)"},
      {"no permissions granted for the directory: \"/\"", "(--permissions)"},
      {"invalid user status: 7", "(--status 1 or 0)"},
      {"invalid mapped folder \"/x\": it must be neither inside nor around the home directory", "(--home-dir)"},
  };
  UserFields from_file;
  from_file.json_file = "-";
  for (const auto& [text, options] : rows) {
    const auto refusal = users::invalid(text);
    EXPECT_EQ(in_options(refusal, {}).text, refusal.text + " " + options);
    EXPECT_EQ(in_options(refusal, from_file).text, refusal.text) << "who wrote members knows them";
    EXPECT_EQ(in_options({core::Status::kInvalid, text}, {}).text, text) << "one that names its option itself";
  }
  const auto rights = in_options(users::invalid("invalid permission: \"fly\""), {}).text;
  EXPECT_NE(rights.find("(--permissions; there are *, "), std::string::npos) << rights;
}

TEST_F(UserFieldsTest, NothingGivenIsSeen) {
  EXPECT_TRUE(is_empty({}));
  UserFields empty_date;
  empty_date.expiration_date = "";
  EXPECT_FALSE(is_empty(empty_date));
}

TEST_F(UserFieldsTest, FlagsWinOverTheFile) {
  UserFields fields;
  fields.json_file = write("user.json", R"({"uid": 1, "gid": 2, "max_sessions": 3})");
  fields.uid = 1000;
  EXPECT_EQ(to_json(fields)->dump(), R"({"uid":1000,"gid":2,"max_sessions":3})");
  fields.json_file = write("user.json", "[]");
  EXPECT_FALSE(to_json(fields));
  fields.json_file = directory_ / "missing";
  EXPECT_FALSE(to_json(fields));
}

TEST_F(UserFieldsTest, MistakesInFilesAreNamed) {
  UserFields fields;
  fields.json_file = write("user.json", "{\n \"password\": hunter2}");
  EXPECT_EQ(to_json(fields).error().text, *fields.json_file + ": no valid JSON at line 2, column 14");
  fields.json_file = "";
  EXPECT_EQ(to_json(fields).error().text, "--json: found \"\", allowed is the name of a file");
  fields = {};
  fields.password_file = "";
  EXPECT_EQ(to_json(fields).error().text, "--password-file: found \"\", allowed is the name of a file");
  fields = {};
  fields.public_key_files = {""};
  EXPECT_EQ(to_json(fields).error().text, "--public-key-file: found \"\", allowed is the name of a file");
}

TEST_F(UserFieldsTest, KeysFromWordsAndFiles) {
  UserFields fields;
  fields.public_keys = {"ssh-ed25519 AAA a"};
  fields.public_key_files = {write("keys", "# mine\n\nssh-rsa BBB b \r\nssh-rsa CCC")};
  EXPECT_EQ((*to_json(fields))["public_keys"].dump(), R"(["ssh-ed25519 AAA a","ssh-rsa BBB b","ssh-rsa CCC"])");
  fields.public_key_files = {write("keys", "# none\n")};
  EXPECT_FALSE(to_json(fields));
}

TEST_F(UserFieldsTest, PasswordIsTheFirstLineOfItsFile) {
  UserFields fields;
  fields.password_file = write("password", "correct horse \r\nmore\n");
  EXPECT_EQ((*to_json(fields))["password"], "correct horse ");
  fields.password_file = write("password", "\n");
  EXPECT_FALSE(to_json(fields));
  fields.password_file = directory_ / "missing";
  EXPECT_FALSE(to_json(fields));
}

TEST_F(UserFieldsTest, Permissions) {
  EXPECT_EQ(parse_permissions({"/=*", "/a=b=list,download"})->dump(), R"({"/":["*"],"/a=b":["list","download"]})");
  EXPECT_EQ(parse_permissions({"/="})->dump(), R"({"/":[]})");
  for (const auto* wrong : {"", "/", "list", "a=list", "=list"}) EXPECT_FALSE(parse_permissions({wrong})) << wrong;
}

TEST_F(UserFieldsTest, Expiration) {
  EXPECT_EQ(*parse_expiration("1970-01-02"), 86400000);
  EXPECT_EQ(*parse_expiration("2028-02-29"), 1835395200000);
  EXPECT_EQ(*parse_expiration(""), 0);
  for (const auto* wrong : {"1969-12-31", "1970-01-01", "2027-02-29", "2027-13-01", "2027-1-1", "27-01-01",
                            "2027-01-01x", "never", "2027/01/01"}) {
    EXPECT_FALSE(parse_expiration(wrong)) << wrong;
  }
  EXPECT_EQ(expiration_text(*parse_expiration("2028-02-29")), "2028-02-29");
  EXPECT_EQ(expiration_text(0), "never");
}

}  // namespace
}  // namespace host::cli
