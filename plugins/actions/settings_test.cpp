// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace actions {
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

TEST(ActionSettings, LimitsThatNobodyHasChanged) {
  auto settings = parse_settings(with_defaults({{"url", "http://h/"}}).dump());
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->http_time, std::chrono::seconds(15));
  EXPECT_EQ(settings->command_time, std::chrono::seconds(30));
  EXPECT_EQ(settings->retries, 2);
}

TEST(ActionSettings, OneIsTold) {
  EXPECT_FALSE(parse_settings(with_defaults(json::object()).dump()));
  EXPECT_FALSE(parse_settings(with_defaults({{"command", "/x"}, {"url", "http://h/"}}).dump()));
  EXPECT_TRUE(parse_settings(with_defaults({{"command", "/x"}}).dump()));
}

}  // namespace
}  // namespace actions
