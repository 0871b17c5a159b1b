// SPDX-License-Identifier: Apache-2.0
//
// Who is there, who may come, and who is told to go.
#include "host/admin/sessions.h"

#include <gtest/gtest.h>

#include <thread>

namespace host::admin {
namespace {

using namespace std::chrono_literals;

LoginInfo login(const std::string& username, const std::string& id, std::int64_t max_sessions = 0) {
  return {.username = username,
          .connection_id = id,
          .client_version = "SSH-2.0-Test",
          .remote_address = "192.0.2.1:4711",
          .max_sessions = max_sessions};
}

class SessionsTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kPlaces = 5;
  Sessions sessions{kPlaces};
};

TEST_F(SessionsTest, ListsWhoIsThere) {
  EXPECT_TRUE(sessions.list().empty());
  const auto before = vfs::wall_clock_ms();
  auto alice = sessions.enter(login("alice", "a1"));
  ASSERT_NE(alice, nullptr);
  auto info = sessions.list().at(0);
  EXPECT_EQ(info.username, "alice");
  EXPECT_EQ(info.connection_id, "a1");
  EXPECT_EQ(info.client_version, "SSH-2.0-Test");
  EXPECT_EQ(info.remote_address, "192.0.2.1:4711");
  EXPECT_GE(info.connected_ms, before);
  EXPECT_TRUE(info.channels.empty());
  alice->touch(std::chrono::steady_clock::now() - 1h);
  EXPECT_NEAR(static_cast<double>(sessions.list().at(0).last_activity_ms), static_cast<double>(before) - 3600e3, 60e3);
  {
    const Session::Channel sftp(alice, "SFTP", "");
    const Session::Channel command(alice, "SSH", "md5sum /f");
    vfs::Activity::Entry upload(alice->activity(), true, "/up");
    upload.add(42);
    info = sessions.list().at(0);
    ASSERT_EQ(info.channels.size(), 2u);
    EXPECT_EQ(info.channels[0].protocol, "SFTP");
    EXPECT_EQ(info.channels[1].command, "md5sum /f");
    ASSERT_EQ(info.transfers.size(), 1u);
    EXPECT_EQ(info.transfers[0].path, "/up");
    EXPECT_EQ(info.transfers[0].bytes, 42u);
  }
  info = sessions.list().at(0);
  EXPECT_TRUE(info.channels.empty());
  EXPECT_TRUE(info.transfers.empty());
  alice.reset();
  EXPECT_TRUE(sessions.list().empty());
}

TEST_F(SessionsTest, PlacesAreCountedPerUserAndInAll) {
  std::vector<std::shared_ptr<Session>> there;
  there.push_back(sessions.enter(login("alice", "a1", 2)));
  there.push_back(sessions.enter(login("alice", "a2", 2)));
  EXPECT_EQ(sessions.enter(login("alice", "a3", 2)), nullptr);
  there.push_back(sessions.enter(login("alice", "a4", 3)));
  there.push_back(sessions.enter(login("bob", "b1", 1)));
  there.push_back(sessions.enter(login("carol", "c1", -1)));
  for (const auto& session : there) EXPECT_NE(session, nullptr);
  EXPECT_EQ(sessions.enter(login("dave", "d1")), nullptr) << "all places are taken";
  there.erase(there.begin());
  EXPECT_EQ(sessions.enter(login("alice", "a5", 2)), nullptr);
  there.erase(there.begin());
  EXPECT_NE(sessions.enter(login("alice", "a6", 2)), nullptr);
}

TEST_F(SessionsTest, AskedToGo) {
  auto a1 = sessions.enter(login("alice", "a1"));
  auto a2 = sessions.enter(login("alice", "a2"));
  auto b1 = sessions.enter(login("bob", "b1"));
  std::vector<std::string> gone;
  a1->on_close([&] { gone.push_back("a1"); });
  b1->on_close([&] { gone.push_back("b1"); });
  EXPECT_FALSE(sessions.close("nobody"));
  EXPECT_TRUE(sessions.close("b1"));
  EXPECT_EQ(gone, std::vector<std::string>{"b1"});
  EXPECT_EQ(sessions.close_user("alice"), 2u);
  EXPECT_EQ(gone, (std::vector<std::string>{"b1", "a1"}));
  a2->on_close([&] { gone.push_back("a2"); });
  EXPECT_EQ(gone.back(), "a2") << "asked before it could say how";
  EXPECT_EQ(sessions.close_user("carol"), 0u);
}

TEST_F(SessionsTest, SessionsOfAUserShareTheirBandwidth) {
  auto who = login("alice", "a1");
  who.upload_bandwidth = 100;
  const auto first = sessions.enter(who);
  ASSERT_NE(first->throttle().upload, nullptr);
  EXPECT_EQ(first->throttle().upload->rate(), 100'000);
  EXPECT_EQ(first->throttle().download, nullptr);
  who.connection_id = "a2";
  who.upload_bandwidth = 200;
  who.download_bandwidth = 50;
  const auto second = sessions.enter(who);
  EXPECT_EQ(second->throttle().upload, first->throttle().upload);
  EXPECT_EQ(first->throttle().upload->rate(), 200'000) << "as the last login says";
  EXPECT_EQ(second->throttle().download->rate(), 50'000);
  who.connection_id = "a3";
  who.upload_bandwidth = 0;
  const auto third = sessions.enter(who);
  EXPECT_EQ(third->throttle().upload, nullptr);
  EXPECT_EQ(first->throttle().upload->rate(), 0);
  who.username = "bob";
  who.connection_id = "b1";
  who.upload_bandwidth = INT64_MAX;
  who.download_bandwidth = -1;
  const auto other = sessions.enter(who);
  EXPECT_GT(other->throttle().upload->rate(), 0);
  EXPECT_NE(other->throttle().upload, first->throttle().upload);
  EXPECT_EQ(other->throttle().download, nullptr);
}

// For the thread sanitizer, too: whoever lists may be the last to hold a session.
TEST_F(SessionsTest, SessionsMayGoWhileTheyAreListed) {
  std::atomic<bool> done = false;
  std::atomic<int> rounds = 0;
  std::thread lister([&] {
    for (; !done; ++rounds) {
      for (const auto& info : sessions.list()) EXPECT_EQ(info.username, "alice");
      sessions.close_user("alice");
    }
  });
  for (int i = 0; i < 2000 || rounds < 200; ++i) {
    const auto session = sessions.enter(login("alice", std::to_string(i)));
    if (!session) continue;  // the last one is still being listed
    const Session::Channel channel(session, "SFTP", "");
    vfs::Activity::Entry transfer(session->activity(), false, "/f");
    transfer.add(1);
  }
  done = true;
  lister.join();
  EXPECT_TRUE(sessions.list().empty());
}

}  // namespace
}  // namespace host::admin
