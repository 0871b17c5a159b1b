// SPDX-License-Identifier: Apache-2.0
//
// Ends in the order a server does: session, what was posted for it, then the pools.
#include "host/sftp/testing/channel_fixture.h"

#include <iterator>

namespace host::sftp::testing {

ChannelFixture::~ChannelFixture() {
  fs->gate.let_all_go();
  if (channel) {
    channel->abandon();
    EXPECT_EQ(usage->handles, 0U) << "a channel that is gone holds none of the connection's handles";
  }
  channel.reset();
  loop.die();
  pool.stop();
  other_pool.stop();
}

void ChannelFixture::start(bool greet) {
  channel = Channel::create(fs,
                            {.post = [this](std::function<void()> job) { loop.post(std::move(job)); },
                             .wake =
                                 [this] {
                                   ++wakes;
                                   turn();
                                 },
                             .alone = [this] { return alone; },
                             .now = [this] { return now; }},
                            usage);
  if (!greet) return;
  send(Ask(Type::kInit, 3));
  ASSERT_EQ(replies(1).at(0).type, Type::kVersion);
}

void ChannelFixture::turn() {
  channel->fill(budget);
  auto more = take_replies(channel->output());
  got.insert(got.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void ChannelFixture::send(std::string_view bytes) {
  channel->on_data(as_bytes(bytes));
  turn();
}

std::vector<Reply> ChannelFixture::replies(std::size_t count) {
  // A further turn in every round: the transport does the same while there is output to send.
  const bool enough = loop.run_until([&] {
    if (got.size() < count) turn();
    return got.size() >= count;
  });
  EXPECT_TRUE(enough) << got.size() << " of " << count << " replies";
  got.resize(std::max(got.size(), count), Reply{static_cast<Type>(0), 0, {}});
  std::vector<Reply> taken(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(count));
  got.erase(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(count));
  return taken;
}

Reply ChannelFixture::ask(const Ask& request) {
  send(request);
  return replies(1).at(0);
}

std::string ChannelFixture::open(const std::string& path, std::uint32_t flags) {
  const auto reply = ask(open_ask(9000, path, flags));
  EXPECT_EQ(reply.type, Type::kHandle) << path;
  return reply.text();
}

void ChannelFixture::read_past_a_held_read() {
  fs->caps.max_inflight = 3;
  fs->caps.flags &= ~std::uint64_t{plugin::FsCaps::kNowaitRead};
  fs->put("/f", "aabb");
  fs->put("/other", "cc");
  start();
  const auto file = open("/f", kRead);
  const auto other = open("/other", kRead);
  fs->gate.hold("read 0+2");
  send(read_ask(1, file, 0, 2));
  ASSERT_TRUE(fs->gate.wait_for("read", 1));
  send(read_ask(2, file, 2, 2));
  ASSERT_TRUE(fs->gate.wait_for("read", 2));
  send(read_ask(3, other, 1, 1));
}

bool ChannelFixture::settle() {
  channel->on_eof();
  return loop.run_until([this] {
    turn();
    return channel->finished();
  });
}

Ask ChannelFixture::read_ask(std::uint32_t id, const std::string& handle, std::uint64_t offset, std::uint32_t length) {
  return Ask(Type::kRead, id).text(handle).u64(offset).u32(length);
}
Ask ChannelFixture::write_ask(std::uint32_t id, const std::string& handle, std::uint64_t offset,
                              std::string_view data) {
  return Ask(Type::kWrite, id).text(handle).u64(offset).text(data);
}
Ask ChannelFixture::path_ask(Type type, std::uint32_t id, std::string_view path) { return Ask(type, id).text(path); }
Ask ChannelFixture::open_ask(std::uint32_t id, std::string_view path, std::uint32_t flags) {
  return Ask(Type::kOpen, id).text(path).u32(flags).u32(0);
}

}  // namespace host::sftp::testing
