// SPDX-License-Identifier: Apache-2.0
//
// How a channel ends: protocol violations, end of file, and sessions that vanish at any point.
#include "host/core/limits.h"
#include "host/sftp/testing/channel_fixture.h"

namespace host::sftp {
namespace {

using namespace testing;

class ChannelEndTest : public ChannelFixture {
 protected:
  // Ends the session and everything around it, in the order of a server that stops.
  void drop() {
    channel->abandon();
    channel.reset();
    loop.die();
    pool.stop();
  }
  void expect_lost_once(const std::string& path) {
    const auto calls = fs->gate.calls();
    EXPECT_EQ(std::count(calls.begin(), calls.end(), "lost " + path), 1) << path;
    EXPECT_EQ(fs->gate.count("commit"), 0u);
    EXPECT_EQ(fs->gate.count("never_closed"), 0u);
  }
};

TEST_F(ChannelEndTest, ViolationsCloseTheChannel) {
  const auto init = Ask(Type::kInit, 3).packet();
  const struct {
    const char* what;
    std::string bytes;
  } rows[] = {
      {"a request before INIT", path_ask(Type::kStat, 1, "/").packet()},
      {"a second INIT", init + init},
      {"length zero", init + std::string(4, '\0')},
      {"length beyond the limit", init + std::string("\0\x04\0\x01", 4)},
      {"length of 4 GiB", std::string("\xff\xff\xff\xff", 4)},
      {"no room for an id", init + std::string("\0\0\0\x04\x11\0\0\0", 8)},
      {"INIT without a version", std::string("\0\0\0\x01\x01", 5)},
      {"an unknown request before INIT", Ask(static_cast<Type>(77), 1).packet()},
      {"an HTTP client", "GET / HTTP/1.1\r\n\r\n"},
  };
  for (const auto& row : rows) {
    start(false);
    send(row.bytes);
    EXPECT_TRUE(channel->failed()) << row.what;
    send(path_ask(Type::kStat, 2, "/"));
    EXPECT_EQ(fs->gate.count("stat"), 0u) << row.what;
    channel->abandon();
  }
}

TEST_F(ChannelEndTest, FlawsInsideAPacketAreAnsweredAndSurvived) {
  start();
  const auto file = open("/f", kRead | kWrite | kCreate);
  const auto big = std::uint64_t{1} << 63;
  const struct {
    const char* what;
    Ask ask;
    std::uint32_t code;
  } rows[] = {
      {"a string beyond the packet", Ask(Type::kStat, 1).u32(100).raw("abc"), 5},
      {"no fields", Ask(Type::kOpen, 1), 5},
      {"WRITE shorter than it says", Ask(Type::kWrite, 1).text(file).u64(0).u32(5).raw("1234"), 5},
      {"an extended request without a name", Ask(Type::kExtended, 1).u32(99), 5},
      {"attributes cut off", Ask(Type::kSetstat, 1).text("/f").u32(1).u32(0), 5},
      {"attributes with endless extensions", Ask(Type::kSetstat, 1).text("/f").u32(0x80000000).u32(0xffffffff), 5},
      {"an unknown type", Ask(static_cast<Type>(150), 1).text("x"), 8},
      {"a reply type", Ask(Type::kStatus, 1).u32(0), 8},
      {"an unknown extension", Ask::extended(1, "nobody@example.com").text("x"), 8},
      {"NUL in a path", path_ask(Type::kStat, 1, std::string_view("/a\0b", 4)), 4},
      {"a path beyond the limit", path_ask(Type::kStat, 1, std::string(core::limits::kMaxPathBytes + 1, 'x')), 4},
      {"a path at the limit", path_ask(Type::kStat, 1, std::string(core::limits::kMaxPathBytes, 'x')), 2},
      {"an empty handle", read_ask(1, "", 0, 1), 4},
      {"a handle of another length", read_ask(1, file + "x", 0, 1), 4},
      {"READ at 2^63", read_ask(1, file, big, 1), 4},
      {"READ across 2^63", read_ask(1, file, big - 1, 2), 4},
      {"WRITE across 2^64", write_ask(1, file, ~std::uint64_t{0}, "xx"), 4},
      {"a size beyond 2^63", Ask(Type::kFsetstat, 1).text(file).u32(1).u64(big), 4},
      {"OPEN without a direction", open_ask(1, "/f", 0), 4},
      {"trailing bytes", path_ask(Type::kRmdir, 1, "/none").raw("more"), 2},
  };
  for (const auto& row : rows) {
    const auto reply = ask(row.ask);
    EXPECT_EQ(reply.type, Type::kStatus) << row.what;
    EXPECT_EQ(reply.id, 1u) << row.what;
    EXPECT_EQ(reply.code(), row.code) << row.what;
  }
  EXPECT_FALSE(channel->failed());
  EXPECT_EQ(ask(handle_ask(Type::kClose, 2, file)).code(), 0u);
}

TEST_F(ChannelEndTest, AfterEofWhatCameIsStillAnswered) {
  start();
  send(open_ask(1, "/f", kWrite | kCreate).packet() + path_ask(Type::kStat, 2, "/").packet() + std::string(2, '\0'));
  channel->on_eof();
  EXPECT_FALSE(channel->finished());
  replies(2);
  EXPECT_TRUE(channel->finished());
  drop();
  expect_lost_once("/f");
}

TEST_F(ChannelEndTest, VersionThreeForEveryone) {
  for (const std::uint32_t version : {0u, 2u, 3u, 6u, 0xffffffffu}) {
    start(false);
    send(Ask(Type::kInit, version).text("extra").text("1"));
    const auto reply = replies(1).at(0);
    EXPECT_EQ(reply.type, Type::kVersion);
    EXPECT_EQ(reply.id, 3u);
    channel->abandon();
  }
}

TEST_F(ChannelEndTest, AbandonedWhileAnAnswerWaitsForAnother) {
  read_past_a_held_read();
  replies(1);
  channel->abandon();
  fs->gate.let_go("read 0+2");
  EXPECT_TRUE(loop.run_until([this] { return usage->request_bytes == 0; })) << usage->request_bytes;
}

TEST_F(ChannelEndTest, AbandonedWhileIdle) {
  start();
  open("/f", kWrite | kCreate);
  drop();
  expect_lost_once("/f");
}

TEST_F(ChannelEndTest, AbandonedBeforeAnything) {
  start(false);
  drop();
  EXPECT_TRUE(fs->gate.calls().empty());
}

TEST_F(ChannelEndTest, AbandonedWhileAWriteRuns) {
  start();
  const auto file = open("/f", kWrite | kCreate);
  fs->gate.hold("write");
  send(write_ask(1, file, 0, "a").packet() + write_ask(2, file, 1, "b").packet() +
       handle_ask(Type::kClose, 3, file).packet());
  ASSERT_TRUE(fs->gate.wait_for("write", 1));
  channel->abandon();
  EXPECT_EQ(fs->gate.count("lost"), 0u) << "not while a worker uses it";
  fs->gate.let_go("write");
  drop();
  expect_lost_once("/f");
  EXPECT_EQ(fs->gate.count("write"), 1u) << "the rest of the batch does not run";
}

TEST_F(ChannelEndTest, AbandonedWhileAnOpenRuns) {
  start();
  fs->gate.hold("open");
  send(open_ask(1, "/f", kWrite | kCreate));
  ASSERT_TRUE(fs->gate.wait_for("open", 1));
  channel->abandon();
  fs->gate.let_go("open");
  drop();
  expect_lost_once("/f");
}

TEST_F(ChannelEndTest, AbandonedWhileACloseRuns) {
  start();
  const auto file = open("/f", kWrite | kCreate);
  fs->gate.hold("commit");
  send(handle_ask(Type::kClose, 1, file));
  ASSERT_TRUE(fs->gate.wait_for("commit", 1));
  channel->abandon();
  fs->gate.let_go("commit");
  drop();
  EXPECT_EQ(fs->gate.count("commit"), 1u);
  EXPECT_EQ(fs->gate.count("lost"), 0u);
  EXPECT_EQ(fs->gate.count("never_closed"), 0u);
}

TEST_F(ChannelEndTest, AbandonedWithLanesQueuedAndDirectoriesOpen) {
  fs->caps.max_inflight = 3;
  start();
  const auto file = open("/f", kWrite | kCreate);
  ASSERT_EQ(ask(path_ask(Type::kOpendir, 1, "/")).type, Type::kHandle);
  fs->gate.hold("write");
  std::string stream;
  for (std::uint32_t id = 0; id < 30; ++id) stream += write_ask(id, file, id, "x").packet();
  send(stream + path_ask(Type::kStat, 99, "/").packet());
  ASSERT_TRUE(fs->gate.wait_for("write", 2));
  channel->abandon();
  fs->gate.let_go("write");
  drop();
  expect_lost_once("/f");
  EXPECT_EQ(fs->gate.count("close_dir"), 1u);
  EXPECT_EQ(fs->gate.count("stat"), 0u);
}

TEST_F(ChannelEndTest, AbandonedWithACompletionOnItsWay) {
  start();
  const auto file = open("/f", kWrite | kCreate);
  send(write_ask(1, file, 0, "a"));
  ASSERT_TRUE(fs->gate.wait_for("write", 1));
  drop();
  expect_lost_once("/f");
}

TEST_F(ChannelEndTest, TheIoThreadMayBeGoneBeforeTheSessionKnows) {
  start();
  const auto file = open("/f", kWrite | kCreate);
  fs->gate.hold("write");
  send(write_ask(1, file, 0, "a"));
  ASSERT_TRUE(fs->gate.wait_for("write", 1));
  loop.die();
  fs->gate.let_go("write");
  channel.reset();  // not even abandoned
  pool.stop();
  expect_lost_once("/f");
}

TEST_F(ChannelEndTest, ALongCopyCanBeAbandoned) {
  fs->put("/from", std::string(40 * 1024 * 1024, 'x'));
  start();
  const auto from = open("/from", kRead);
  const auto to = open("/to", kWrite | kCreate);
  fs->gate.hold("copy");
  send(Ask::extended(1, "copy-data").text(from).u64(0).u64(0).text(to).u64(0));
  ASSERT_TRUE(fs->gate.wait_for("copy", 1));
  channel->abandon();
  fs->gate.let_go("copy");
  drop();
  EXPECT_EQ(fs->gate.count("copy"), 1u);
  expect_lost_once("/to");
}

TEST_F(ChannelEndTest, AbandonFromWithinWake) {
  fs->put("/f", "x");
  int woken = 0;
  channel = Channel::create(fs,
                            {.post = [this](std::function<void()> job) { loop.post(std::move(job)); },
                             .wake =
                                 [&] {
                                   ++woken;
                                   channel->abandon();
                                   channel.reset();
                                 }},
                            usage);
  channel->on_data(as_bytes(Ask(Type::kInit, 3).packet() + open_ask(1, "/f", kRead).packet()));
  channel->fill(1000);
  EXPECT_TRUE(loop.run_until([&] { return woken == 1; }));
  loop.die();
  pool.stop();
  expect_lost_once("/f");
}

}  // namespace
}  // namespace host::sftp
