// SPDX-License-Identifier: Apache-2.0
//
// Bandwidth limits of a channel: what waits, what passes, and the memory that waiting takes. The clock is the test's.
#include "host/sftp/pacer.h"

#include <algorithm>

#include "host/core/limits.h"
#include "host/sftp/testing/channel_fixture.h"

namespace host::sftp {
namespace {

using namespace testing;
using namespace std::chrono_literals;
namespace limits = core::limits;

constexpr std::int64_t kRate = 100'000;  // bytes per second
constexpr std::size_t kPart = 20'000;    // of a transfer: what a new limit lets go at once

class PacerTest : public ChannelFixture {
 protected:
  PacerTest() {
    upload = std::make_shared<vfs::Bucket>(kRate, now - 1h);
    download = std::make_shared<vfs::Bucket>(kRate, now - 1h);
    fs->limit({upload, download});
    fs->try_reads_block = true;
    part.assign(kPart, 'x');
  }
  // The clock goes on, and whatever is due is done, as with a timer.
  void pass(std::chrono::milliseconds time) {
    for (const auto end = now + time; now < end; turn()) now = std::min(end, std::max(now, channel->next_turn()));
  }
  std::size_t done(const std::string& call) const { return fs->gate.count(call); }

  std::shared_ptr<vfs::Bucket> upload, download;
  std::string part;
};

TEST_F(PacerTest, WritesWaitForTheirTime) {
  start();
  const auto file = open("/f", kWrite | kCreate);
  EXPECT_EQ(channel->next_turn(), vfs::Time::max());
  for (std::uint32_t i = 0; i < 4; ++i) send(write_ask(i, file, i * kPart, part));
  EXPECT_EQ(replies(1).at(0).id, 0u);
  EXPECT_GT(channel->next_turn(), now);
  pass(100ms);
  EXPECT_EQ(done("write"), 1u);
  pass(100ms);
  EXPECT_EQ(replies(1).at(0).id, 1u);
  now += 1h;  // and no faster because of a long pause: the burst is what it is
  turn();
  replies(1);
  EXPECT_GT(channel->next_turn(), now);
  pass(200ms);
  replies(1);
  EXPECT_EQ(channel->next_turn(), vfs::Time::max());
  EXPECT_EQ(fs->get("/f").size(), 4 * kPart);
}

TEST_F(PacerTest, ReadsWaitForTheirTime) {
  fs->try_reads_block = false;
  fs->put("/f", std::string(10 * kPart, 'x'));
  start();
  const auto file = open("/f", kRead);
  for (std::uint32_t i = 0; i < 2; ++i) send(read_ask(i, file, i * 2 * kPart, 2 * kPart));
  EXPECT_EQ(done("try_read"), 0u);
  pass(150ms);
  EXPECT_TRUE(got.empty());
  pass(100ms);
  const auto first = replies(1).at(0);
  EXPECT_EQ(first.id, 0u);
  EXPECT_EQ(first.text().size(), 2 * kPart) << "a full answer";
  pass(300ms);
  EXPECT_TRUE(got.empty());
  pass(100ms);
  EXPECT_EQ(replies(1).at(0).id, 1u);
}

TEST_F(PacerTest, ReadsArePaidByWhatTheyGave) {
  fs->put("/f", std::string(kPart, 'x'));
  start();
  const auto file = open("/f", kRead);
  EXPECT_EQ(ask(read_ask(1, file, 0, 200'000)).type, Type::kData);
  for (std::uint32_t i = 0; i < 50; ++i) EXPECT_EQ(ask(read_ask(2, file, kPart, 200'000)).type, Type::kStatus);
  upload->set_rate(0);
  ask(write_ask(2, open("/f", kWrite), kPart, std::string(10 * kPart, 'x')));
  EXPECT_EQ(ask(read_ask(3, file, kPart, 10 * kPart)).type, Type::kData) << "nobody knew that it has grown";
  send(read_ask(4, file, 0, 1));
  pass(1500ms);
  EXPECT_TRUE(got.empty()) << "but then it is owed";
  pass(600ms);
  EXPECT_EQ(replies(1).at(0).id, 4u);
}

TEST_F(PacerTest, OtherFilesPassAndTheSameOneKeepsItsOrder) {
  fs->put("/other", "o");
  start();
  const auto file = open("/f", kWrite | kCreate);
  const auto other = open("/other", kRead);
  const auto again = open("/f", kWrite);
  for (std::uint32_t i = 0; i < 3; ++i) send(write_ask(i, file, i * kPart, part));
  replies(1);
  send(path_ask(Type::kStat, 10, "/f"));
  send(handle_ask(Type::kFstat, 11, file));
  send(handle_ask(Type::kClose, 12, file));
  EXPECT_EQ(ask(path_ask(Type::kStat, 20, "/other")).id, 20u);
  EXPECT_EQ(ask(read_ask(21, other, 0, 10)).id, 21u) << "the other direction has a limit of its own";
  EXPECT_EQ(ask(handle_ask(Type::kFstat, 22, again)).id, 22u);
  EXPECT_EQ(ask(path_ask(Type::kRealpath, 23, ".")).id, 23u);
  EXPECT_EQ(ask(handle_ask(Type::kClose, 24, other)).id, 24u);
  pass(200ms);
  EXPECT_EQ(replies(1).at(0).id, 1u);
  pass(200ms);
  const auto rest = replies(4);
  EXPECT_EQ(rest[0].id, 2u);
  EXPECT_EQ(rest[1].id, 10u);
  EXPECT_EQ(rest[2].id, 11u);
  EXPECT_EQ(rest[3].id, 12u);
}

TEST_F(PacerTest, PathsDoNotWaitForReads) {
  fs->put("/f", std::string(10 * kPart, 'x'));
  start();
  const auto file = open("/f", kRead);
  for (std::uint32_t i = 0; i < 3; ++i) send(read_ask(i, file, i * kPart, kPart));
  replies(1);
  EXPECT_EQ(ask(path_ask(Type::kStat, 10, "/f")).id, 10u);
}

TEST_F(PacerTest, ARequestOnTwoFilesWaitsForBoth) {
  start();
  const auto a = open("/a", kWrite | kCreate | kRead);
  const auto b = open("/b", kWrite | kCreate);
  send(write_ask(0, a, 0, part));
  send(write_ask(1, a, kPart, "a"));
  send(write_ask(2, b, 0, part));
  send(Ask(Type::kExtended, 3).text("copy-data").text(a).u64(kPart).u64(1).text(b).u64(kPart));
  replies(1);
  pass(60ms);
  EXPECT_EQ(replies(1).at(0).id, 1u);
  EXPECT_EQ(ask(path_ask(Type::kStat, 9, "/elsewhere")).id, 9u);
  EXPECT_EQ(done("copy"), 0u);
  pass(300ms);
  EXPECT_EQ(replies(1).at(0).id, 2u);
  EXPECT_EQ(replies(1).at(0).id, 3u);
  EXPECT_EQ(fs->get("/b").back(), 'a');
}

TEST_F(PacerTest, WaitingIsBoundedAndAChannelEndsWhileItWaits) {
  start();
  const auto file = open("/f", kWrite | kCreate);
  const std::string data(limits::kMaxWriteBytes, 'x');
  std::uint32_t sent = 0;
  for (; channel->ready() && sent < 100; ++sent) send(write_ask(sent, file, sent * data.size(), data));
  EXPECT_EQ(sent, limits::kMaxQueuedRequestBytes / data.size() + 1);
  EXPECT_TRUE(channel->busy());
  EXPECT_FALSE(channel->receiving_upload()) << "no wider window for what would only wait here";
  channel->on_eof();
  turn();
  EXPECT_FALSE(channel->finished());
  channel->abandon();
  EXPECT_EQ(usage->request_bytes, 0u);
  EXPECT_EQ(channel->next_turn(), vfs::Time::max());
  EXPECT_TRUE(fs->gate.wait_for("lost", 1));
  EXPECT_EQ(done("write"), 0u);
}

TEST_F(PacerTest, EverythingIsAnsweredAfterTheEndOfInput) {
  start();
  const auto file = open("/f", kWrite | kCreate);
  for (std::uint32_t i = 0; i < 3; ++i) send(write_ask(i, file, i * kPart, part));
  send(handle_ask(Type::kClose, 3, file));
  channel->on_eof();
  replies(1);
  pass(200ms);
  replies(1);
  EXPECT_FALSE(channel->finished());
  pass(200ms);
  replies(2);
  EXPECT_TRUE(settle());
  EXPECT_EQ(fs->get("/f").size(), 3 * kPart);
}

TEST_F(PacerTest, FilesOfOneChannelShareFairly) {
  start();
  const auto small = open("/small", kWrite | kCreate);
  const auto large = open("/large", kWrite | kCreate);
  for (std::uint32_t i = 0; i < 20; ++i) send(write_ask(i, large, i * kPart, part));
  for (std::uint32_t i = 0; i < 200; ++i) send(write_ask(100 + i, small, i * 1000, std::string(1000, 'y')));
  pass(2s);
  EXPECT_TRUE(loop.run_until([&] {
    turn();
    return channel->next_turn() > now && fs->get("/small").size() + fs->get("/large").size() >= 2 * kRate;
  }));
  EXPECT_NEAR(static_cast<double>(fs->get("/small").size()), 1.1 * kRate, 0.15 * kRate);
  EXPECT_NEAR(static_cast<double>(fs->get("/large").size()), 1.1 * kRate, 0.3 * kRate);
}

TEST_F(PacerTest, AFastLimitKeepsTheWideWindow) {
  upload->set_rate(100'000'000);
  start();
  open("/f", kWrite | kCreate);
  EXPECT_TRUE(channel->receiving_upload());
}

}  // namespace
}  // namespace host::sftp
