// SPDX-License-Identifier: Apache-2.0
//
// What holds a client back, and what happens when something is full.
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "host/core/limits.h"
#include "host/sftp/testing/channel_fixture.h"

namespace {

thread_local bool counting = false;
thread_local std::ptrdiff_t kept_bytes = 0;

}  // namespace

// Counts what one thread takes and gives back while it says so.
void* operator new(std::size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  if (counting) kept_bytes += static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
  return memory;
}
void operator delete(void* memory) noexcept {
  if (counting) kept_bytes -= static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace host::sftp {
namespace {

using namespace testing;
namespace limits = core::limits;

class ChannelLimitsTest : public ChannelFixture {};

TEST_F(ChannelLimitsTest, QueuedBytesMakeItFull) {
  start();
  const auto file = open("/f", kWrite | kCreate);
  fs->gate.hold("write");
  const std::string data(limits::kMaxWriteBytes, 'x');
  std::uint32_t sent = 0;
  for (; channel->ready() && sent < 100; ++sent) send(write_ask(sent, file, sent * data.size(), data));
  EXPECT_EQ(sent, limits::kMaxQueuedRequestBytes / data.size() + 1);
  fs->gate.let_go("write");
  replies(sent);
  EXPECT_TRUE(channel->ready());
  EXPECT_EQ(fs->get("/f").size(), sent * data.size());
}

TEST_F(ChannelLimitsTest, QueuedRequestsMakeItFullAndTheTransportIsWoken) {
  fs->put("/f", "x");
  start();
  const auto file = open("/f", kRead);
  budget = 0;
  std::uint32_t sent = 0;
  for (; channel->ready() && sent < 5000; ++sent) send(read_ask(sent, file, 0, 1));
  EXPECT_EQ(sent, limits::kMaxQueuedRequests + 1);
  const auto wakes_before = wakes;
  channel->fill(1000);
  EXPECT_TRUE(channel->ready());
  EXPECT_TRUE(loop.run_until([&] { return wakes > wakes_before; }));
}

// As a peer may send that has not been read from for a while: a whole window of packets as small as they get.
TEST_F(ChannelLimitsTest, SmallPacketsOfAWholeWindowStayBytes) {
  start();
  constexpr std::uint32_t kCount = 100'000;
  std::string stream;
  for (std::uint32_t id = 0; id < kCount; ++id) stream += Ask(static_cast<Type>(99), id).packet();
  budget = 0;
  kept_bytes = 0;
  counting = true;
  channel->on_data(as_bytes(stream));
  counting = false;
  EXPECT_FALSE(channel->ready());
  EXPECT_TRUE(channel->busy());
  EXPECT_LT(kept_bytes, static_cast<std::ptrdiff_t>(2 * stream.size() + 1024 * limits::kMaxQueuedRequests));
  channel->on_eof();
  EXPECT_FALSE(channel->finished());
  std::uint32_t next = 0;
  while (next < kCount) {
    const auto some = replies(500);
    for (const auto& reply : some) ASSERT_EQ(reply.id, next++);
  }
  EXPECT_TRUE(channel->ready());
  EXPECT_TRUE(channel->finished());
}

TEST_F(ChannelLimitsTest, NothingStartsWhileRepliesPileUp) {
  fs->put("/f", std::string(limits::kMaxReadBytes, 'x'));
  fs->try_reads_block = true;
  start();
  const auto file = open("/f", kRead);
  std::string stream;
  for (std::uint32_t id = 0; id < 20; ++id) stream += read_ask(id, file, 0, limits::kMaxReadBytes).packet();
  channel->on_data(as_bytes(stream));
  channel->fill(0);
  channel->fill(1);
  // Nobody takes the output: batches follow one another until the limit is reached, and then no more.
  budget = 0;
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(fs->gate.wait_for("read", 3));
    loop.post([] {});
    loop.run_until([first = true]() mutable { return !std::exchange(first, false); });
  }
  EXPECT_LE(fs->gate.count("read"), 3u);
  budget = 64 * 1024;
  turn();
  replies(20);
}

TEST_F(ChannelLimitsTest, ABatchIsBounded) {
  fs->try_reads_block = true;
  fs->put("/f", "x");
  start();
  const auto file = open("/f", kRead);
  std::string stream;
  for (std::uint32_t id = 0; id < 200; ++id) stream += read_ask(id, file, 0, 1).packet();
  const auto wakes_before = wakes;
  send(stream);
  replies(200);
  EXPECT_EQ(wakes - wakes_before, static_cast<int>((200 + limits::kMaxBatchRequests - 1) / limits::kMaxBatchRequests));
}

TEST_F(ChannelLimitsTest, OpenHandlesAreLimited) {
  fs->put("/f", "x");
  start();
  std::string stream;
  for (std::uint32_t id = 0; id < limits::kMaxOpenHandles; ++id) stream += open_ask(id, "/f", kRead).packet();
  send(stream);
  std::string some;
  for (const auto& reply : replies(limits::kMaxOpenHandles)) {
    ASSERT_EQ(reply.type, Type::kHandle);
    some = reply.text();
  }
  EXPECT_EQ(ask(open_ask(1, "/f", kRead)).status(), "too many open handles");
  EXPECT_EQ(ask(handle_ask(Type::kClose, 2, some)).code(), 0u);
  EXPECT_EQ(ask(open_ask(3, "/f", kRead)).type, Type::kHandle);
}

TEST_F(ChannelLimitsTest, HandlesOfOtherChannelsCount) {
  fs->put("/f", "x");
  usage->handles = limits::kMaxOpenHandles - 1;
  start();
  const auto only = ask(open_ask(1, "/f", kRead)).text();
  EXPECT_EQ(ask(open_ask(2, "/f", kRead)).status(), "too many open handles");
  EXPECT_EQ(ask(handle_ask(Type::kClose, 3, only)).code(), 0u);
  usage->handles = 0;
}

TEST_F(ChannelLimitsTest, QueuedBytesOfOtherChannelsCount) {
  start();
  usage->request_bytes = limits::kMaxSessionRequestBytes + 1;
  EXPECT_FALSE(channel->ready());
  usage->request_bytes = 0;
  EXPECT_TRUE(channel->ready());
}

// The second pool has one thread and a queue of four.
class FullPoolTest : public ChannelLimitsTest {
 protected:
  void fill_pool() {
    fs->gate.hold("filler");
    for (int job = 0; job < 5; ++job) {
      ASSERT_TRUE(other_pool.submit([this] { fs->gate.pass("filler", ""); }));
      ASSERT_TRUE(fs->gate.wait_for("filler", 1));
    }
    ASSERT_FALSE(other_pool.submit([] {}));
  }
};

TEST_F(FullPoolTest, RequestsAreToldToTryAgain) {
  fs->put_dir("/other");
  start();
  fill_pool();
  const auto refused = ask(path_ask(Type::kStat, 1, "/other"));
  EXPECT_EQ(refused.code(), 4u);
  EXPECT_EQ(refused.status(), "busy, try again");
  EXPECT_EQ(ask(open_ask(2, "/other/f", kWrite | kCreate)).status(), "busy, try again");
  EXPECT_FALSE(channel->busy());
  fs->gate.let_go("filler");
  other_pool.stop();
}

TEST_F(FullPoolTest, AFileThatMissesAWriteIsNotPublished) {
  fs->put_dir("/other");
  start();
  const auto file = open("/other/f", kWrite | kCreate);
  fill_pool();
  send(write_ask(1, file, 0, "lost").packet() + handle_ask(Type::kClose, 2, file).packet());
  EXPECT_EQ(replies(1)[0].status(), "busy, try again");
  fs->gate.let_go("filler");
  const auto closed = replies(1)[0];
  EXPECT_EQ(closed.id, 2u);
  EXPECT_EQ(closed.status(), "incomplete, not stored");
  EXPECT_EQ(fs->gate.count("lost"), 1u);
  EXPECT_FALSE(channel->busy());
}

TEST_F(ChannelLimitsTest, AnIdleChannelIsSmall) {
  const auto init = Ask(Type::kInit, 3).packet() + path_ask(Type::kRealpath, 1, ".").packet();
  kept_bytes = 0;
  counting = true;
  auto idle = Channel::create(fs, {.post = [](const std::function<void()>&) {}, .wake = [] {}}, usage);
  idle->on_data(as_bytes(init));
  idle->fill(1000);
  EXPECT_GT(idle->output().size(), 100u);
  while (!idle->output().empty()) idle->output().consume(idle->output().front().size());
  idle->fill(0);
  counting = false;
  EXPECT_LT(kept_bytes, 1400);
  idle->abandon();
}

}  // namespace
}  // namespace host::sftp
