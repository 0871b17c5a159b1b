// SPDX-License-Identifier: Apache-2.0
//
// Accounts as services see them, over real providers: texts and merge rules that clients of the replaced system know.
#include "host/admin/host_users.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/admin/testing/accounts.h"

namespace host::admin {
namespace {

using core::Status;
using Json = nlohmann::ordered_json;

constexpr char kHash[] = "$1$saltsalt$9xy1btjgzLYfb7hivXtC//";

class HostUsersTest : public ::testing::TestWithParam<const char*> {
 protected:
  std::string body(const std::string& name) {
    return Json{{"username", name},
                {"password", kHash},
                {"home_dir", "/tmp/" + name},
                {"permissions", {{"/", {"*"}}}},
                {"status", 1}}
        .dump();
  }
  Json add(const std::string& name) { return Json::parse(*users.add(body(name))); }

  testing::Accounts accounts{GetParam()};
  HostUsers users{*accounts.registry, *accounts.store, *accounts.quotas};
};

TEST_P(HostUsersTest, NoAnswerHoldsAPassword) {
  const auto added = users.add(body("ann"));
  ASSERT_TRUE(added) << added.error().text;
  const auto id = Json::parse(*added).at("id").get<std::int64_t>();
  for (const auto& text : {*added, *users.get(id), *users.list(R"({"limit": 10})")}) {
    EXPECT_NE(text.find("\"ann\""), std::string::npos);
    EXPECT_EQ(text.find("password"), std::string::npos);
  }
}

TEST_P(HostUsersTest, ListsPagesAndSingleAccounts) {
  for (const auto* name : {"cem", "ann", "bob"}) add(name);
  const auto names = [&](const std::string& query) {
    std::string all;
    for (const auto& user : Json::parse(*users.list(query))) all += user.at("username").get<std::string>() + " ";
    return all;
  };
  EXPECT_EQ(names(R"({"limit": 10})"), "ann bob cem ");
  EXPECT_EQ(names(R"({"limit": 2, "order": "DESC"})"), "cem bob ");
  EXPECT_EQ(names(R"({"limit": 2, "offset": 2})"), "cem ");
  for (const auto* query : {R"({"limit": 2, "offset": -2})", R"({"limit": "2"})", R"({"order": "up"})", "[]"}) {
    EXPECT_EQ(users.list(query).error().status, Status::kInvalid) << query;
  }
  EXPECT_EQ(names(R"({"limit": 0})"), "");
  EXPECT_EQ(names(R"({"limit": -1})"), "");
  EXPECT_EQ(names(R"({"limit": 1, "username": "bob"})"), "bob ");
  EXPECT_EQ(names(R"({"limit": 1, "username": "Bob"})"), "");
  EXPECT_EQ(names(R"({"limit": 0, "username": "bob"})"), "");
  EXPECT_EQ(names(R"({"limit": 1, "offset": 1, "username": "bob"})"), "");
}

TEST_P(HostUsersTest, RefusalsHaveTheKnownTexts) {
  const auto id = add("ann").at("id").get<std::int64_t>();
  const auto twice = users.add(body("ann"));
  EXPECT_EQ(twice.error().status, Status::kExists);
  EXPECT_EQ(twice.error().message(), "username ann already exists");
  const std::string unknown = "Not found: user with ID 4711 does not exist";
  EXPECT_EQ(users.get(4711).error().message(), unknown);
  EXPECT_EQ(users.update(4711, "{}").error().message(), unknown);
  EXPECT_EQ(users.remove(4711).error().message(), unknown);
  EXPECT_EQ(users.add("{").error().status, Status::kInvalid);
  EXPECT_EQ(users.update(id, "[]").error().status, Status::kInvalid);
  EXPECT_EQ(users.update(id, Json{{"id", id + 1}}.dump()).error().message(),
            "user ID in request body does not match user ID in path parameter");
  EXPECT_EQ(users.update(id, R"({"status": 7})").error().message(), "Validation error: invalid user status: 7");
}

TEST_P(HostUsersTest, DeepNestingIsRefusedAndCostsNoStack) {
  const auto id = add("ann").at("id").get<std::int64_t>();
  std::string deep = R"({"filesystem": {"provider": "fs-x", "config": {"a": )";
  for (int i = 0; i < 100000; ++i) deep += R"({"a":)";
  deep += "1" + std::string(100003, '}');
  EXPECT_EQ(users.update(id, deep).error().status, Status::kInvalid);
  EXPECT_EQ(users.add(deep).error().status, Status::kInvalid);
  // Brackets in a text are none.
  EXPECT_TRUE(users.update(id, Json{{"home_dir", "/tmp/\"" + std::string(1000, '[')}}.dump()));
}

TEST_P(HostUsersTest, UpdatesMerge) {
  const auto before = add("ann");
  const auto id = before.at("id").get<std::int64_t>();
  ASSERT_TRUE(users.update(id, "{}"));
  EXPECT_EQ(Json::parse(*users.get(id)), before);
  const auto changed = users.update(id, R"({"username": "eve", "max_sessions": 3, "permissions": {},
      "used_quota_size": 99, "last_login": 99, "filters": {"file_extensions": [{"path": "/", "denied_extensions": [".x"]}]}})");
  ASSERT_TRUE(changed) << changed.error().text;
  auto after = Json::parse(*users.get(id));
  EXPECT_EQ(after.at("username"), "ann");
  EXPECT_EQ(after.at("max_sessions"), 3);
  EXPECT_EQ(after.at("permissions"), before.at("permissions"));
  EXPECT_EQ(after.at("used_quota_size"), 0);
  EXPECT_EQ(after.at("last_login"), 0);
  EXPECT_EQ(accounts.store->find("ann")->password, kHash);
  ASSERT_TRUE(users.update(id, R"({"filters": {"file_extensions": []}})"));
  EXPECT_EQ(Json::parse(*users.get(id)).at("filters"), Json::object());
  ASSERT_TRUE(users.remove(id));
  EXPECT_EQ(users.get(id).error().status, Status::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(Providers, HostUsersTest, ::testing::Values("sqlite", "memory"));

}  // namespace
}  // namespace host::admin
