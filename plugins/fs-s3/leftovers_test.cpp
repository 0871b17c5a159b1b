// SPDX-License-Identifier: Apache-2.0
//
// Whose leftovers stay on the list, and whose are looked after first.
#include "leftovers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fake_store_test.h"
#include "quiet_host_test.h"

namespace fs_s3 {
namespace {

class LeftoversTest : public testing::Test {
 protected:
  std::shared_ptr<S3Client> client(const std::string& store_name, const Endpoint& endpoint) {
    return std::make_shared<S3Client>(std::make_shared<HttpClient>(HttpClient::Settings{}),
                                      std::make_shared<GivenCredentials>(Credentials{"K", "S", ""}),
                                      Bucket{store_name, "r", "", endpoint, true}, S3Client::Options{});
  }
  std::ptrdiff_t stays(const std::string& bucket) {
    const auto lines = host.lines();
    return std::ranges::count_if(lines, [&](const auto& line) { return line.find(bucket) != std::string::npos; });
  }
  LoggingHost host;
  FakeStore one{[](const auto&) { return FakeStore::whole(204, ""); }};
  FakeStore other{[](const auto&) { return FakeStore::whole(204, ""); }};
};

TEST_F(LeftoversTest, TheStoreWithMostOfThemMakesRoom) {
  Leftovers list(host.host, 4);
  const auto many = client("crowd", one.endpoint()), few = client("single", other.endpoint());
  for (int i = 0; i < 5; ++i) list.add(many, {.key = "k", .id = "crowd" + std::to_string(i)});
  EXPECT_EQ(stays("crowd"), 1) << "the fifth is one too many";
  list.add(few, {.key = "k", .id = "few0"});
  list.add(few, {.key = "k", .id = "few1"});
  EXPECT_EQ(stays("crowd"), 3);
  EXPECT_EQ(stays("single"), 0);
  list.add(few, {.key = "k", .id = "few2"});
  EXPECT_EQ(stays("single"), 1) << "each has half by now";
}

// One that does not answer is asked about one of them, and then the others have their turn.
TEST_F(LeftoversTest, AStoreThatDoesNotAnswerKeepsNoOtherWaiting) {
  FakeStore silent([](const auto&) { return std::string(); });
  const auto dead = client("dead", silent.endpoint()), good = client("good", other.endpoint());
  Leftovers list(host.host);
  for (int i = 0; i < 50; ++i) list.add(dead, {.key = "k", .id = "dead" + std::to_string(i)});
  list.add(good, {.key = "k", .id = "good"});
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (other.heads().empty() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  ASSERT_FALSE(other.heads().empty());
  std::vector<std::string> ids;
  for (const auto& head : silent.heads()) ids.push_back(head.substr(0, head.find("\r\n")));
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  EXPECT_LE(ids.size(), 2U);
}

}  // namespace
}  // namespace fs_s3
