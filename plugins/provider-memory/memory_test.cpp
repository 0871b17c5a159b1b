// SPDX-License-Identifier: Apache-2.0
//
// The provider contract in memory, and the dump file.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "provider-common/testing/contract.h"

using provider_common::testing::Json;
using provider_common::testing::Rig;

std::unique_ptr<Rig> make_rig() {
  auto rig = std::make_unique<Rig>(Json::object());
  EXPECT_EQ(rig->prepare(SP_PREPARE_OPEN), SP_OK) << rig->message();
  return rig;
}

namespace {

class DumpFile : public ::testing::Test {
 protected:
  DumpFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "memory-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ / "dump.json";
  }
  ~DumpFile() override { std::filesystem::remove_all(directory_); }
  void write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }

  std::filesystem::path directory_, path_;
};

TEST_F(DumpFile, IsLoadedWithFreshIdsAndCounters) {
  write(R"({"users": [{"username": "zoe", "permissions": {"/": ["*"]}, "used": 7, "id": 40, "last_shoe": 1},
                      {"username": "ada", "permissions": {}, "status": 0}, {"username": "zoe", "permissions": [], "status": 0}]})");
  Rig rig(Json::object({{"name", path_.string()}}));
  ASSERT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_OK) << rig.message();
  EXPECT_EQ(rig.changed, 0U);
  EXPECT_EQ(rig.names(), (std::vector<std::string>{"ada", "zoe"}));
  Json zoe;
  ASSERT_EQ(rig.get("zoe", zoe), SP_OK);
  EXPECT_EQ(zoe["used"], 0);
  EXPECT_EQ(zoe["status"], 0);  // the later entry
  EXPECT_NE(zoe["id"], 40);
  const std::string warning = "dump file " + path_.string() + ": members that mean nothing were left out: last_shoe";
  EXPECT_EQ(std::count(rig.log_lines.begin(), rig.log_lines.end(), warning), 1);
}

TEST_F(DumpFile, ABadFileStopsTheStartAndNamesThePath) {
  Rig missing(Json::object({{"name", path_.string()}}));
  EXPECT_EQ(missing.prepare(SP_PREPARE_OPEN), SP_E_NOT_FOUND);
  EXPECT_NE(missing.message().find(path_.string()), std::string::npos);
  for (const auto* text : {"", "{", "[]", "{}", R"({"user": []})", R"({"users": {}})", R"({"users": [1]})",
                           R"({"users": [{"username": 5}]})", R"({"users": [{"username": "x"}]})",
                           R"({"users": [{"username": "x", "permissions": 1, "status": "on"}]})"}) {
    write(text);
    Rig rig(Json::object({{"name", path_.string()}}));
    EXPECT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_E_INVALID) << text;
    EXPECT_NE(rig.message().find(path_.string()), std::string::npos) << rig.message();
  }
  std::filesystem::resize_file(path_, 10485761);
  Rig large(Json::object({{"name", path_.string()}}));
  EXPECT_EQ(large.prepare(SP_PREPARE_OPEN), SP_E_INVALID);
}

TEST_F(DumpFile, MistakesAreNamedByTheirPlace) {
  const std::pair<const char*, const char*> rows[] = {
      {"{\"users\": [\n  {\"username\": \"ann\", \"password\": hunter2}]}", ": line 2, column 35: is not valid JSON"},
      {"{", ": line 1, column 2: the file ends too early"},
      {R"({"users": [{"username": "x", "permissions": {}}, 7]})", R"(: users entry 2: no object with a "username")"},
      {R"({"users": [{"username": "ann"}]})", R"(: users entry 1 (ann): the record lacks "permissions")"},
      {R"({"user": []})", R"(: holds no "users")"},
  };
  for (const auto& [text, place] : rows) {
    write(text);
    Rig rig(Json::object({{"name", path_.string()}}));
    EXPECT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_E_INVALID) << text;
    EXPECT_TRUE(rig.message().ends_with("dump file " + path_.string() + place)) << rig.message();
  }
}

TEST_F(DumpFile, ReloadReplacesAllOrNothing) {
  write(R"({"users": [{"username": "ada", "permissions": {}}]})");
  Rig rig(Json::object({{"name", path_.string()}}));
  ASSERT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_OK);
  ASSERT_EQ(rig.insert("temp", {{"permissions", Json::object()}}), SP_OK);
  write(R"({"users": [{"username": "bob", "permissions": {}}, {"username": "broken"}]})");
  EXPECT_EQ(rig.reload(), SP_E_INVALID);
  EXPECT_EQ(rig.names(), (std::vector<std::string>{"ada", "temp"}));
  write(R"({"user": [{"username": "bob", "permissions": {}}]})");
  EXPECT_EQ(rig.reload(), SP_E_INVALID);
  EXPECT_EQ(rig.names(), (std::vector<std::string>{"ada", "temp"}));
  write(R"({"users": [{"username": "bob", "permissions": {}}]})");
  EXPECT_EQ(rig.reload(), SP_OK);
  EXPECT_EQ(rig.names(), (std::vector<std::string>{"bob"}));
}

TEST_F(DumpFile, NullIsAnEmptyList) {
  write(R"({"users": null})");
  Rig rig(Json::object({{"name", path_.string()}}));
  ASSERT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_OK) << rig.message();
  EXPECT_TRUE(rig.names().empty());
}

TEST(Memory, WithoutAFileReloadKeepsEverything) {
  auto rig = make_rig();
  ASSERT_EQ(rig->insert("ada", {{"permissions", Json::object()}}), SP_OK);
  EXPECT_EQ(rig->reload(), SP_E_UNSUPPORTED);
  EXPECT_EQ(rig->names().size(), 1U);
}

}  // namespace
