// SPDX-License-Identifier: Apache-2.0
//
// Declarations: names that would not be safe as SQL identifiers and inconsistent columns are refused.
#include "provider-common/schema.h"

#include <gtest/gtest.h>

using provider_common::parse_schema;

namespace {

std::string declaration(const std::string& table, const std::string& columns) {
  return R"({"version": 2, "collections": [{"name": "users", "table": ")" + table + R"(", "key": "k", "columns": [)" +
         columns + "]}]}";
}

constexpr char kKey[] = R"({"name": "k", "type": "text", "unique": true})";

TEST(Schema, ReadsADeclaration) {
  auto schema = parse_schema(declaration(
      "accounts", std::string(kKey) + R"(, {"name": "n", "type": "int64", "bits": 32, "default": 4, "since": 2})"));
  ASSERT_TRUE(schema);
  const auto& users = schema->collections.at(0);
  EXPECT_EQ(users.table, "accounts");
  ASSERT_NE(users.find("n"), nullptr);
  EXPECT_EQ(users.find("n")->since, 2);
  EXPECT_EQ(users.find("n")->bits, 32U);
  EXPECT_EQ(users.find("absent"), nullptr);
  EXPECT_FALSE(schema->find("accounts"));
}

TEST(Schema, RefusesBadDeclarations) {
  EXPECT_FALSE(parse_schema("[]"));
  EXPECT_FALSE(parse_schema("{"));
  for (const auto* table : {"users; DROP TABLE x", "a b", "", "1a", "a\\\"b", "x.y"}) {
    auto schema = parse_schema(declaration(table, kKey));
    ASSERT_FALSE(schema) << table;
    EXPECT_EQ(schema.failure().status, SP_E_INVALID);
  }
  for (const auto* columns :
       {R"({"name": "k", "type": "int64"})", R"({"name": "other", "type": "text"})",
        R"({"name": "k", "type": "text"}, {"name": "k", "type": "text"})",
        R"({"name": "k", "type": "text"}, {"name": "b", "type": "blob"})",
        R"({"name": "k", "type": "text"}, {"name": "c", "type": "text", "counter": true})",
        R"({"name": "k", "type": "text"}, {"name": "d", "type": "int64", "default": "x"})",
        R"({"name": "k", "type": "text"}, {"name": "k;", "type": "int64"})", R"({"name": 7, "type": "text"})"}) {
    EXPECT_FALSE(parse_schema(declaration("t", columns))) << columns;
  }
}

}  // namespace
