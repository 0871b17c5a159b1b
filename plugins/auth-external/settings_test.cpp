// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace auth_external {
namespace {

using nlohmann::json;

// What the host makes of a configuration that says no more than `own`.
json with_defaults(json own) {
  const auto schema = json::parse(kSettingsSchema);
  for (const auto& [name, rule] : schema.at("properties").items()) {
    if (!own.contains(name)) own[name] = rule.at("default");
  }
  return own;
}

TEST(AuthExternalSettings, LimitsThatNobodyHasChanged) {
  auto settings = parse_settings(with_defaults({{"program", "/bin/sh"}}).dump());
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->time, std::chrono::seconds(60));
  EXPECT_EQ(settings->max_conversations, 100u);
  EXPECT_EQ(settings->max_conversations_per_address, 0u);
  EXPECT_EQ(settings->cache, std::chrono::seconds(0));
  EXPECT_TRUE(settings->ask_unknown_users);
}

TEST(AuthExternalSettings, OneIsAsked) {
  EXPECT_FALSE(parse_settings(with_defaults(json::object()).dump()));
  EXPECT_FALSE(parse_settings(with_defaults({{"program", "/bin/sh"}, {"url", "http://h/"}}).dump()));
  EXPECT_TRUE(parse_settings(with_defaults({{"url", "http://h/"}}).dump()));
}

}  // namespace
}  // namespace auth_external
