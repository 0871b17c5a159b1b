// SPDX-License-Identifier: Apache-2.0
//
// On a thread that serves nobody else requests need no worker, and keep their order all the same.
#include <thread>
#include <utility>

#include "host/core/limits.h"
#include "host/sftp/testing/channel_fixture.h"

namespace host::sftp {
namespace {

using namespace testing;

class ChannelAloneTest : public ChannelFixture {
 protected:
  // What send() has brought without anything posted to the I/O thread.
  std::vector<Reply> at_once() { return std::exchange(got, {}); }
};

TEST_F(ChannelAloneTest, RequestsAreAnsweredInPlaceAndInOrder) {
  start();
  alone = true;
  send(open_ask(1, "/f", kRead | kWrite | kCreate));
  const auto opened = at_once();
  ASSERT_EQ(opened.size(), 1u);
  const auto file = opened[0].text();
  send(write_ask(2, file, 0, "hello").packet() + read_ask(3, file, 0, 9).packet() +
       handle_ask(Type::kFstat, 4, file).packet() + handle_ask(Type::kClose, 5, file).packet());
  const auto answers = at_once();
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_EQ(answers[0].code(), 0u);
  EXPECT_EQ(answers[1].text(), "hello");
  EXPECT_EQ(answers[2].type, Type::kAttrs);
  EXPECT_EQ(answers[3].code(), 0u);
  EXPECT_EQ(fs->get("/f"), "hello");
  EXPECT_EQ(usage->request_bytes, 0u);
}

TEST_F(ChannelAloneTest, WhatRunsOnAWorkerIsWaitedFor) {
  start();
  fs->gate.hold("mkdir");
  send(Ask(Type::kMkdir, 1).text("/d").u32(0));
  alone = true;
  send(path_ask(Type::kStat, 2, "/d"));
  EXPECT_TRUE(at_once().empty());
  fs->gate.let_go("mkdir");
  const auto answers = replies(2);
  EXPECT_EQ(answers[0].code(), 0u);
  EXPECT_EQ(answers[1].type, Type::kAttrs);
}

TEST_F(ChannelAloneTest, ShortRequestsAreCountedWhereverTheyRun) {
  fs->put("/f", "x");
  start();
  const auto file = open("/f", kRead);
  ask(path_ask(Type::kStat, 1, "/f"));
  alone = true;
  ask(path_ask(Type::kStat, 2, "/f"));
  ask(read_ask(3, file, 0, 1));
  ask(handle_ask(Type::kClose, 4, file));
  EXPECT_EQ(usage->short_requests, 4u) << "all but the READ";
  EXPECT_FALSE(usage->slow_storage);
}

TEST_F(ChannelAloneTest, ASlowStorageIsToldOf) {
  fs->put("/f", "x");
  start();
  fs->gate.hold("stat");
  send(path_ask(Type::kStat, 1, "/f"));
  ASSERT_TRUE(fs->gate.wait_for("stat", 1));
  std::this_thread::sleep_for(core::limits::kSlowJob * 2);
  fs->gate.let_go("stat");
  replies(1);
  EXPECT_TRUE(usage->slow_storage);
}

}  // namespace
}  // namespace host::sftp
