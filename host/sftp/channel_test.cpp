// SPDX-License-Identifier: Apache-2.0
//
// Order and placement of requests: what runs where, what waits for what.
#include "host/sftp/channel.h"

#include <algorithm>

#include "host/sftp/testing/channel_fixture.h"

namespace host::sftp {
namespace {

using namespace testing;
using Caps = plugin::FsCaps;

class ChannelTest : public ChannelFixture {
 protected:
  std::size_t position(const std::string& call) {
    const auto calls = fs->gate.calls();
    const auto found = std::find(calls.begin(), calls.end(), call);
    EXPECT_NE(found, calls.end()) << call;
    return static_cast<std::size_t>(found - calls.begin());
  }
};

TEST_F(ChannelTest, WritesAndReadsBack) {
  start();
  const auto file = open("/f", kRead | kWrite | kCreate);
  EXPECT_EQ(ask(write_ask(1, file, 0, "hello ")).code(), 0u);
  EXPECT_EQ(ask(write_ask(2, file, 6, "world")).code(), 0u);
  const auto data = ask(read_ask(3, file, 0, 100));
  EXPECT_EQ(data.type, Type::kData);
  EXPECT_EQ(data.id, 3u);
  EXPECT_EQ(data.text(), "hello world");
  EXPECT_EQ(ask(read_ask(4, file, 11, 100)).code(), 1u);
  EXPECT_EQ(ask(handle_ask(Type::kClose, 5, file)).code(), 0u);
  EXPECT_EQ(fs->gate.calls().back(), "commit /f");
  EXPECT_EQ(ask(read_ask(6, file, 0, 1)).status(), "invalid handle");
}

TEST_F(ChannelTest, AnySplitOfTheStreamGivesTheSameAnswers) {
  start();
  const auto file = open("/f", kRead | kWrite | kCreate);
  std::string stream = write_ask(1, file, 0, std::string(3000, 'a')).packet() +
                       write_ask(2, file, 3000, std::string(3000, 'b')).packet() + read_ask(3, file, 2999, 2).packet() +
                       handle_ask(Type::kFstat, 4, file).packet();
  for (std::size_t at = 0; at < stream.size(); at += 11)
    channel->on_data(as_bytes(stream).subspan(at, std::min<std::size_t>(11, stream.size() - at)));
  turn();
  const auto answers = replies(4);
  EXPECT_EQ(answers[2].text(), "ab");
  EXPECT_EQ(answers[3].type, Type::kAttrs);
}

TEST_F(ChannelTest, PipelinedRequestsTravelInOneBatch) {
  start();
  const auto file = open("/f", kWrite | kCreate);
  fs->gate.hold("write");
  std::string stream;
  for (std::uint32_t id = 0; id < 10; ++id) stream += write_ask(id, file, id, "x").packet();
  send(stream);
  ASSERT_TRUE(fs->gate.wait_for("write", 1));
  const auto wakes_before = wakes;
  fs->gate.let_go("write");
  replies(10);
  EXPECT_EQ(wakes, wakes_before + 1);
}

TEST_F(ChannelTest, OverlappingWritesKeepTheirOrder) {
  fs->caps.max_inflight = 4;
  start();
  const auto file = open("/f", kWrite | kCreate);
  fs->gate.hold("write");
  send(write_ask(1, file, 0, "aaaa").packet() + write_ask(2, file, 2, "bbbb").packet() +
       write_ask(3, file, 3, "c").packet());
  ASSERT_TRUE(fs->gate.wait_for("write", 1));
  turn();
  EXPECT_EQ(fs->gate.count("write"), 1u) << "the second overlaps the first, which runs";
  fs->gate.let_go("write");
  replies(3);
  EXPECT_EQ(fs->get("/f"), "aabcbb");
}

TEST_F(ChannelTest, DisjointRangesRunInParallelLanes) {
  fs->caps.max_inflight = 3;
  start();
  const auto file = open("/f", kWrite | kCreate);
  fs->gate.hold("write");
  send(write_ask(1, file, 0, "aa").packet() + write_ask(2, file, 2, "bb").packet() +
       write_ask(3, file, 4, "cc").packet() + write_ask(4, file, 6, "dd").packet());
  EXPECT_TRUE(fs->gate.wait_for("write", 2)) << "two lanes of two";
  fs->gate.let_go("write");
  replies(4);
  EXPECT_EQ(fs->get("/f"), "aabbccdd");
}

TEST_F(ChannelTest, AnswersOfOneFileDoNotOvertakeEachOther) {
  read_past_a_held_read();
  EXPECT_EQ(replies(1).at(0).id, 3u) << "another file need not wait";
  fs->gate.let_go("read 0+2");
  const auto answers = replies(2);
  EXPECT_EQ(answers[0].text() + answers[1].text(), "aabb");
}

TEST_F(ChannelTest, FilesThatTakeOneCallAtATimeGetOneLaneEach) {
  fs->caps.max_inflight = 3;
  fs->caps.flags &= ~std::uint64_t{Caps::kParallelIo};
  start();
  const auto a = open("/a", kWrite | kCreate);
  const auto b = open("/b", kWrite | kCreate);
  fs->gate.hold("write");
  send(write_ask(1, a, 0, "aa").packet() + write_ask(2, a, 2, "aa").packet());
  ASSERT_TRUE(fs->gate.wait_for("write", 1));
  send(write_ask(3, b, 0, "bb").packet());
  EXPECT_TRUE(fs->gate.wait_for("write", 2)) << "another file";
  EXPECT_EQ(fs->gate.count("write"), 2u);
  fs->gate.let_go("write");
  replies(3);
  EXPECT_EQ(fs->get("/a"), "aaaa");
}

TEST_F(ChannelTest, AscendingAndAppendingWritesHaveOneLane) {
  fs->caps.max_inflight = 4;
  for (const bool append : {false, true}) {
    if (!append) fs->caps.flags &= ~std::uint64_t{Caps::kRandomWrite};
    start();
    const auto path = append ? "/append" : "/ascending";
    const auto file = open(path, kWrite | kCreate | (append ? kAppend : 0));
    const auto before = fs->gate.count("write");
    fs->gate.hold("write");
    send(write_ask(1, file, 0, "aa"));
    ASSERT_TRUE(fs->gate.wait_for("write", before + 1));
    send(write_ask(2, file, 2, "bb"));
    EXPECT_EQ(fs->gate.count("write"), before + 1);
    fs->gate.let_go("write");
    replies(2);
    EXPECT_EQ(fs->get(path), "aabb");
    channel->abandon();
    fs->caps.flags |= Caps::kRandomWrite;
  }
}

TEST_F(ChannelTest, CloseWaitsForAllWorkOfItsHandle) {
  fs->caps.max_inflight = 4;
  start();
  const auto file = open("/f", kWrite | kCreate);
  fs->gate.hold("write");
  send(write_ask(1, file, 0, "aa").packet() + write_ask(2, file, 2, "bb").packet() +
       handle_ask(Type::kClose, 3, file).packet());
  ASSERT_TRUE(fs->gate.wait_for("write", 2));
  turn();
  EXPECT_EQ(fs->gate.count("commit"), 0u);
  fs->gate.let_go("write");
  EXPECT_EQ(replies(3).back().id, 3u);
  EXPECT_LT(std::max(position("write 0+2"), position("write 2+2")), position("commit /f"));
}

TEST_F(ChannelTest, EverythingElseIsABarrier) {
  fs->caps.max_inflight = 4;
  start();
  const auto file = open("/f", kRead | kWrite | kCreate);
  fs->gate.hold("write");
  send(write_ask(1, file, 0, "aa").packet() + path_ask(Type::kStat, 2, "/f").packet() +
       write_ask(3, file, 2, "bb").packet());
  ASSERT_TRUE(fs->gate.wait_for("write", 1));
  turn();
  EXPECT_EQ(fs->gate.count("stat"), 0u);
  EXPECT_EQ(fs->gate.count("write"), 1u);
  fs->gate.let_go("write");
  const auto answers = replies(3);
  EXPECT_EQ(answers[1].type, Type::kAttrs);
  EXPECT_EQ(answers[1].fields.substr(4, 8), std::string("\0\0\0\0\0\0\0\x02", 8)) << "the size between the writes";
}

TEST_F(ChannelTest, QuietReadsAreAnsweredInPlace) {
  fs->put("/f", std::string(1000, 'x'));
  start();
  const auto file = open("/f", kRead);
  channel->on_data(as_bytes(read_ask(1, file, 0, 100).packet() + read_ask(2, file, 990, 100).packet()));
  EXPECT_TRUE(channel->output().empty()) << "not within the transport's callback";
  turn();
  ASSERT_EQ(got.size(), 2u) << "without any worker";
  EXPECT_EQ(replies(2)[1].text(), std::string(10, 'x'));
  EXPECT_EQ(fs->gate.count("read"), 0u);
  EXPECT_EQ(ask(read_ask(3, file, 1000, 1)).code(), 1u);
}

TEST_F(ChannelTest, InPlaceReadsKeepToTheBudget) {
  fs->put("/f", std::string(100000, 'x'));
  start();
  const auto file = open("/f", kRead);
  budget = 0;
  std::string stream;
  for (std::uint32_t id = 0; id < 10; ++id) stream += read_ask(id, file, 0, 10000).packet();
  send(stream);
  EXPECT_EQ(got.size(), 0u);
  channel->fill(15000);
  EXPECT_EQ(take_replies(channel->output()).size(), 2u) << "about the budget: the second goes beyond";
  channel->fill(1);
  EXPECT_EQ(take_replies(channel->output()).size(), 1u);
  EXPECT_EQ(fs->gate.count("read"), 0u) << "what can be done in place is not given to a worker";
}

TEST_F(ChannelTest, AReadThatWouldBlockGoesToAWorker) {
  fs->put("/f", "data");
  fs->try_reads_block = true;
  start();
  const auto file = open("/f", kRead);
  fs->gate.hold("read");
  send(read_ask(1, file, 0, 4).packet() + read_ask(2, file, 1, 4).packet());
  ASSERT_TRUE(fs->gate.wait_for("read", 1));
  EXPECT_TRUE(got.empty());
  fs->gate.let_go("read");
  EXPECT_EQ(replies(2)[1].text(), "ata");
  EXPECT_EQ(fs->gate.count("try_read"), 1u) << "those behind it go along";
}

TEST_F(ChannelTest, AHalfCachedReadIsFinishedByAWorker) {
  fs->put("/f", "0123456789");
  fs->cached_bytes = 4;
  start();
  const auto file = open("/f", kRead);
  EXPECT_EQ(ask(read_ask(1, file, 2, 6)).text(), "234567") << "whole: clients answer short ones with small requests";
  EXPECT_EQ(fs->gate.calls().back(), "read 4+4") << "nothing is read twice";
}

TEST_F(ChannelTest, PiecesAreJoined) {
  fs->put("/f", "0123456789");
  fs->read_piece = 3;
  start();
  const auto file = open("/f", kRead);
  EXPECT_EQ(ask(read_ask(1, file, 0, 100)).text(), "0123456789");
  fs->try_reads_block = true;
  EXPECT_EQ(ask(read_ask(2, file, 1, 5)).text(), "12345");
}

TEST_F(ChannelTest, NothingOvertakesInPlace) {
  fs->put("/f", "old!");
  start();
  const auto file = open("/f", kRead | kWrite);
  fs->gate.hold("write");
  send(write_ask(1, file, 0, "new!"));
  ASSERT_TRUE(fs->gate.wait_for("write", 1));
  send(read_ask(2, file, 0, 4));
  EXPECT_TRUE(got.empty());
  fs->gate.let_go("write");
  EXPECT_EQ(replies(2)[1].text(), "new!");
}

TEST_F(ChannelTest, StorageThatCannotAnswerAtOnceIsNotAsked) {
  fs->caps.flags &= ~std::uint64_t{Caps::kNowaitRead};
  fs->put("/f", "data");
  start();
  const auto file = open("/f", kRead);
  EXPECT_EQ(ask(read_ask(1, file, 0, 4)).text(), "data");
  EXPECT_EQ(fs->gate.count("try_read"), 0u);
}

TEST_F(ChannelTest, QuestionsWithoutStorageNeedNoWorker) {
  start();
  send(path_ask(Type::kRealpath, 1, "a/../b").packet() + Ask::extended(2, "limits@openssh.com").packet() +
       Ask::extended(3, "expand-path@openssh.com").text("~/x").packet() +
       Ask::extended(4, "home-directory").text("alice").packet() + Ask(static_cast<Type>(99), 5).packet());
  ASSERT_EQ(got.size(), 5u);
  EXPECT_EQ(fs->gate.calls().size(), 0u);
}

TEST_F(ChannelTest, PathsOfTwoPoolsGoInTwoBatches) {
  fs->put_dir("/other");
  start();
  fs->gate.hold("stat");
  send(path_ask(Type::kStat, 1, "/").packet() + path_ask(Type::kStat, 2, "/other").packet() +
       path_ask(Type::kStat, 3, "/").packet());
  ASSERT_TRUE(fs->gate.wait_for("stat", 1));
  fs->gate.let_go("stat");
  const auto answers = replies(3);
  EXPECT_EQ(answers[2].id, 3u);
  EXPECT_EQ(fs->gate.calls(), (std::vector<std::string>{"stat /", "stat /other", "stat /"}));
}

TEST_F(ChannelTest, AHandleOfARunningCloseIsGone) {
  fs->put("/f", "data");
  start();
  const auto file = open("/f", kRead);
  send(handle_ask(Type::kClose, 1, file).packet() + read_ask(2, file, 0, 4).packet() +
       handle_ask(Type::kClose, 3, file).packet());
  const auto answers = replies(3);
  EXPECT_EQ(answers[0].code(), 0u);
  EXPECT_EQ(answers[1].status(), "invalid handle");
  EXPECT_EQ(answers[2].status(), "invalid handle");
  EXPECT_EQ(fs->gate.count("commit"), 1u);
}

TEST_F(ChannelTest, TellsWhatItIsDoing) {
  start();
  EXPECT_FALSE(channel->busy());
  const auto file = open("/f", kWrite | kCreate);
  EXPECT_TRUE(channel->receiving_upload());
  EXPECT_TRUE(channel->busy());
  ask(handle_ask(Type::kClose, 1, file));
  EXPECT_FALSE(channel->receiving_upload());
  EXPECT_FALSE(channel->busy());
  EXPECT_FALSE(channel->finished());
  EXPECT_TRUE(settle());
}

TEST_F(ChannelTest, ALongCopyGoesInSlices) {
  fs->put("/from", std::string(40 * 1024 * 1024, 'x'));
  start();
  const auto from = open("/from", kRead);
  const auto to = open("/to", kWrite | kCreate);
  EXPECT_EQ(ask(Ask::extended(1, "copy-data").text(from).u64(1).u64(0).text(to).u64(0)).code(), 0u);
  EXPECT_EQ(fs->get("/to").size(), 40u * 1024 * 1024 - 1);
  EXPECT_EQ(fs->gate.count("copy"), 3u);
}

}  // namespace
}  // namespace host::sftp
