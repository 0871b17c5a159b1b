// SPDX-License-Identifier: Apache-2.0
//
// The schema subset: what is accepted, what each refusal says, and that secrets stay out of every text.
#include "host/plugin/schema_check.h"

#include <gtest/gtest.h>

#include <string>

namespace host::plugin {
namespace {

constexpr const char* kSchema = R"({
  "type": "object", "additionalProperties": false, "required": ["bucket"],
  "properties": {
    "bucket": {"type": "string", "pattern": "^[a-z0-9-]{3,63}$", "description": "where files go"},
    "delay_ms": {"type": "integer", "default": 20, "minimum": 0, "maximum": 60000},
    "ratio": {"type": "number", "minimum": 0.5},
    "mode": {"enum": ["fast", "safe"], "default": "safe"},
    "secret": {"type": "string", "writeOnly": true, "pattern": "^k"},
    "retry": {"type": "object", "properties": {"times": {"type": "integer", "default": 3}}},
    "vault": {"type": "object", "writeOnly": true, "properties": {"pin": {"type": "integer"}}},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}}
  }})";

Schema schema(const char* text = kSchema) {
  auto parsed = Schema::parse(text);
  EXPECT_TRUE(parsed) << parsed.error().text;
  return *parsed;
}

std::string refusal(const std::string& settings) {
  auto checked = schema().check(settings, "plugins.storage.x");
  EXPECT_FALSE(checked) << settings << " was accepted";
  return checked ? "" : checked.error().text;
}

std::string broken(const char* text) {
  auto parsed = Schema::parse(text);
  EXPECT_FALSE(parsed) << text << " was accepted";
  return parsed ? "" : parsed.error().text;
}

TEST(SchemaCheck, FillsDefaultsAlsoInNestedObjects) {
  auto checked = schema().check(R"({"bucket": "abc", "retry": {}})", "x");
  ASSERT_TRUE(checked) << checked.error().text;
  EXPECT_EQ(*checked, R"({"bucket":"abc","delay_ms":20,"mode":"safe","retry":{"times":3}})");
}

TEST(SchemaCheck, KeepsWhatWasGiven) {
  auto checked = schema().check(R"({"bucket": "abc", "delay_ms": 0, "mode": "fast", "labels": {"a": "b"}})", "x");
  ASSERT_TRUE(checked) << checked.error().text;
  EXPECT_EQ(*checked, R"({"bucket":"abc","delay_ms":0,"labels":{"a":"b"},"mode":"fast"})");
}

TEST(SchemaCheck, NamesPathValueAndWhatIsAllowed) {
  EXPECT_EQ(refusal(R"({"bucket": "abc", "delay_ms": "soon"})"),
            R"(plugins.storage.x.delay_ms: found "soon", allowed is an integer, at least 0, at most 60000)");
  EXPECT_EQ(refusal(R"({"bucket": "abc", "delay_ms": 60001})"),
            "plugins.storage.x.delay_ms: found 60001, allowed is an integer, at least 0, at most 60000");
  EXPECT_EQ(refusal(R"({"bucket": "abc", "delay_ms": 1.5})"),
            "plugins.storage.x.delay_ms: found 1.5, allowed is an integer, at least 0, at most 60000");
  EXPECT_EQ(refusal(R"({"bucket": "abc", "ratio": 0.25})"),
            "plugins.storage.x.ratio: found 0.25, allowed is a number, at least 0.5");
  EXPECT_EQ(refusal(R"({"bucket": "abc", "mode": "slow"})"),
            R"(plugins.storage.x.mode: found "slow", allowed is one of ["fast","safe"])");
  EXPECT_EQ(
      refusal(R"({"bucket": "A"})"),
      R"(plugins.storage.x.bucket: found "A", allowed is a string (where files go) that matches ^[a-z0-9-]{3,63}$)");
  EXPECT_EQ(refusal(R"({"bucket": "abc", "retry": {"times": true}})"),
            "plugins.storage.x.retry.times: found true, allowed is an integer");
  EXPECT_EQ(refusal(R"({"bucket": "abc", "labels": {"a": 1}})"),
            "plugins.storage.x.labels.a: found 1, allowed is a string");
}

TEST(SchemaCheck, RefusesMissingAndUnknownMembers) {
  EXPECT_EQ(refusal("{}"),
            "plugins.storage.x.bucket: missing; wanted a string (where files go) that matches ^[a-z0-9-]{3,63}$");
  EXPECT_NE(refusal(R"({"bucket": "abc", "dely_ms": 5})").find("dely_ms: unknown; allowed are bucket, delay_ms"),
            std::string::npos);
}

TEST(SchemaCheck, NeverShowsASecret) {
  for (const char* settings :
       {R"({"bucket": "abc", "secret": "hunter2"})", R"({"bucket": "abc", "vault": {"pin": "hunter2"}})",
        R"({"bucket": "abc", "vault": "hunter2"})", R"({"bucket": "abc", "secret": "hunter2)",
        R"({"bucket": "abc", "secrte": "hunter2"})"}) {
    const auto text = refusal(settings);
    EXPECT_EQ(text.find("hunter"), std::string::npos) << text;
  }
  EXPECT_EQ(refusal(R"({"bucket": "abc", "secret": 5})"),
            "plugins.storage.x.secret: found an integer (secret, not shown), allowed is a string that matches ^k");
}

TEST(SchemaCheck, BlanksSecretsAtEveryDepth) {
  EXPECT_EQ(schema().blank_secrets(R"({"bucket": "abc", "secret": "k1", "vault": {"pin": 7}, "retry": {"times": 1}})"),
            R"({"bucket":"abc","retry":{"times":1},"secret":"","vault":null})");
  EXPECT_EQ(schema().blank_secrets("hunter2"), "{}");
}

TEST(SchemaCheck, KeepsSecretsThatComeBackEmptied) {
  const std::string stored = R"({"bucket": "abc", "secret": "k1", "vault": {"pin": 7}})";
  EXPECT_EQ(schema().keep_secrets(stored, schema().blank_secrets(stored)),
            R"({"bucket":"abc","secret":"k1","vault":{"pin":7}})");
  EXPECT_EQ(schema().keep_secrets(stored, R"({"bucket": "", "secret": "k2"})"), R"({"bucket":"","secret":"k2"})");
  EXPECT_EQ(schema().keep_secrets(stored, R"({"bucket": "b"})"), R"({"bucket":"b"})") << "left out is taken away";
  EXPECT_EQ(schema().keep_secrets("", R"({"secret": ""})"), R"({"secret": ""})");
}

TEST(SchemaCheck, AShownFormStandsForTheStoredSecret) {
  const auto schema = Schema::parse(R"({"type": "object", "dependentRequired": {"secret": ["key"]},
    "properties": {"key": {"type": "string"}, "secret": {"type": "string", "writeOnly": true}}})");
  const std::string stored = R"({"key":"k","secret":"$aes256gcm$1a2b3c4d$00ff"})";
  const std::string shown = schema->blank_secrets(stored);
  EXPECT_EQ(shown, R"({"key":"k","secret":"$aes$00ff"})");
  EXPECT_EQ(schema->keep_secrets(stored, shown), stored);
  EXPECT_EQ(schema->keep_secrets(stored, R"({"key":"k","secret":""})"), stored);
  EXPECT_EQ(schema->keep_secrets(stored, R"({"key":"","secret":""})"), R"({"key":"","secret":""})") << "both are to go";
  EXPECT_EQ(schema->keep_secrets(stored, R"({"key":"k","secret":"$aes$KEY$00"})"),
            R"({"key":"k","secret":"$aes$KEY$00"})");
}

TEST(SchemaCheck, ChangesSecretsAtEveryDepth) {
  const auto schema = Schema::parse(R"({"type": "object", "properties": {
    "name": {"type": "string"}, "secret": {"type": "string", "writeOnly": true, "pattern": "^k"},
    "inner": {"type": "object", "additionalProperties": {"type": "string", "writeOnly": true}},
    "pin": {"type": "integer", "writeOnly": true}}})");
  std::string seen;
  const auto changed =
      schema->change_secrets(R"({"name": "n", "secret": "k1", "inner": {"a": "x"}, "pin": 7})",
                             [&](std::string_view member, std::string_view text) -> core::Result<std::string> {
                               seen += std::string(member) + "=" + std::string(text) + " ";
                               return "<" + std::string(text) + ">";
                             });
  EXPECT_EQ(*changed, R"({"inner":{"a":"<x>"},"name":"n","pin":7,"secret":"<k1>"})");
  EXPECT_EQ(seen, "inner.a=x secret=k1 ");
  const auto refuses = [](std::string_view, std::string_view) -> core::Result<std::string> {
    return core::Status::kDenied;
  };
  EXPECT_EQ(schema->change_secrets(R"({"secret": "k1"})", refuses).error().status, core::Status::kDenied);
  EXPECT_EQ(*schema->change_secrets(R"({"name": "n"})", refuses), R"({"name":"n"})");
  EXPECT_TRUE(schema->check(R"({"secret": "$aes256gcm$1a2b3c4d$00ff"})", "x"))
      << "the pattern is about the secret itself";
  EXPECT_FALSE(schema->check(R"({"secret": "x"})", "x"));
}

TEST(SchemaCheck, MembersThatGoTogether) {
  const auto schema = Schema::parse(R"({"type": "object", "dependentRequired": {"key": ["secret"], "secret": ["key"]},
    "properties": {"key": {"type": "string"}, "secret": {"type": "string", "writeOnly": true}}})");
  ASSERT_TRUE(schema) << schema.error().text;
  for (const auto* good : {"{}", R"({"key": "k", "secret": "s"})", R"({"key": "", "secret": ""})", R"({"key": ""})"}) {
    EXPECT_TRUE(schema->check(good, "")) << good;
  }
  for (const auto* bad : {R"({"key": "k"})", R"({"secret": "s"})", R"({"key": "k", "secret": ""})"}) {
    EXPECT_FALSE(schema->check(bad, "")) << bad;
  }
  EXPECT_EQ(schema->check(R"({"key": "k"})", "x").error().text, "x.secret: missing; it goes with key");
  EXPECT_FALSE(Schema::parse(R"({"type": "object", "dependentRequired": {"key": "secret"}})"));
  EXPECT_EQ(schema->blank_secrets(R"({"secret":"$aes$KEY$00ff"})"), R"({"secret":"$aes$00ff"})");
}

TEST(SchemaCheck, RefusesTextThatIsNoObject) {
  EXPECT_NE(refusal("").find("not JSON"), std::string::npos);
  EXPECT_NE(refusal("[1]").find("found an array"), std::string::npos);
  EXPECT_NE(refusal(std::string(100000, '[')).find("not JSON"), std::string::npos);
  EXPECT_NE(refusal(R"({"labels": )" + std::string(1000, '[') + std::string(1000, ']') + "}").find("deep"),
            std::string::npos);
}

TEST(SchemaCheck, CutsLongValuesShort) {
  EXPECT_LT(refusal(R"({"bucket": ")" + std::string(10000, 'A') + "\"}").size(), 300u);
}

TEST(SchemaCheck, RefusesSchemasOutsideTheSubset) {
  EXPECT_NE(broken("nonsense").find("not JSON"), std::string::npos);
  EXPECT_NE(broken(R"({"type": "string"})").find("outermost"), std::string::npos);
  EXPECT_NE(
      broken(R"({"type": "object", "properties": {"a": {"minLength": 3}}})").find("schema of a: keyword \"minLength\""),
      std::string::npos);
  EXPECT_NE(broken(R"({"type": "object", "properties": {"a": {"type": "int"}}})").find("type must be"),
            std::string::npos);
  EXPECT_NE(broken(R"({"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}})")
                .find("regular expression"),
            std::string::npos);
  EXPECT_NE(broken(R"({"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}})")
                .find("default breaks it"),
            std::string::npos);
  EXPECT_NE(broken(R"({"type": "object", "required": "a"})").find("required must be"), std::string::npos);
}

TEST(SchemaCheck, LetsUnlistedMembersPassUnlessForbidden) {
  auto checked = schema(R"({"type": "object"})").check(R"({"any": [1, {"thing": null}]})", "x");
  ASSERT_TRUE(checked);
  EXPECT_EQ(*checked, R"({"any":[1,{"thing":null}]})");
}

}  // namespace
}  // namespace host::plugin
