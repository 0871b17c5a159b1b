// SPDX-License-Identifier: Apache-2.0
#include "host/auth/last_logins.h"

#include <gtest/gtest.h>

#include <future>
#include <utility>
#include <vector>

#include "host/auth/auth_limits.h"

namespace host::auth {
namespace {

using Written = std::vector<std::pair<std::string, std::int64_t>>;

// A provider that takes the first one only when it is told to.
struct SlowProvider {
  core::Result<void> take(const std::string& username, std::int64_t at_ms) {
    if (written.empty()) {
      asked.set_value();
      answer.wait();
    }
    written.emplace_back(username, at_ms);
    return core::ok();
  }
  Written written;
  std::promise<void> asked, answered;
  std::shared_future<void> answer = answered.get_future().share();
};

TEST(LastLogins, TheLastOfEachUserIsWritten) {
  SlowProvider provider;
  LastLogins logins([&](const auto& username, auto at_ms) { return provider.take(username, at_ms); });
  logins.note("ada", 1);
  provider.asked.get_future().wait();
  for (int at = 2; at <= 9; ++at) logins.note("ada", at);
  logins.note("bob", 5);
  provider.answered.set_value();
  logins.stop();
  EXPECT_EQ(provider.written, (Written{{"ada", 1}, {"ada", 9}, {"bob", 5}}));
}

TEST(LastLogins, FewWait) {
  SlowProvider provider;
  LastLogins logins([&](const auto& username, auto at_ms) { return provider.take(username, at_ms); });
  logins.note("first", 1);
  provider.asked.get_future().wait();
  for (std::size_t i = 0; i < 2 * kMaxLastLogins; ++i) logins.note("user" + std::to_string(i), 1);
  provider.answered.set_value();
  logins.stop();
  EXPECT_EQ(provider.written.size(), kMaxLastLogins + 1);
}

}  // namespace
}  // namespace host::auth
