// SPDX-License-Identifier: Apache-2.0
//
// A channel on FakeFs with real worker pools; the test's thread is its I/O thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "host/core/worker_pool.h"
#include "host/sftp/channel.h"
#include "host/sftp/testing/client.h"
#include "host/sftp/testing/fake_fs.h"
#include "host/sftp/testing/loop.h"

namespace host::sftp::testing {

inline constexpr std::uint32_t kRead = 1, kWrite = 2, kAppend = 4, kCreate = 8, kTruncate = 16, kExclusive = 32;

class ChannelFixture : public ::testing::Test {
 protected:
  ChannelFixture() : fs(std::make_shared<FakeFs>(pool, other_pool)) {}
  ~ChannelFixture() override;

  // The channel, greeted unless told otherwise.
  void start(bool greet = true);
  // Gives bytes to the channel as one piece, then a turn.
  void send(std::string_view bytes);
  void send(const Ask& ask) { send(ask.packet()); }
  void turn();
  // Waits for `count` more replies and takes them.
  std::vector<Reply> replies(std::size_t count);
  Reply ask(const Ask& request);  // send, and the one reply
  std::string open(const std::string& path, std::uint32_t flags);
  // READs 1 and 2 of "aabb", the first held at "read 0+2", and 3 of another file, side by side.
  void read_past_a_held_read();
  // Runs posted work until the channel has nothing to do.
  bool settle();

  static Ask read_ask(std::uint32_t id, const std::string& handle, std::uint64_t offset, std::uint32_t length);
  static Ask write_ask(std::uint32_t id, const std::string& handle, std::uint64_t offset, std::string_view data);
  static Ask path_ask(Type type, std::uint32_t id, std::string_view path);
  static Ask handle_ask(Type type, std::uint32_t id, const std::string& handle) { return path_ask(type, id, handle); }
  static Ask open_ask(std::uint32_t id, std::string_view path, std::uint32_t flags);

  Loop loop;
  core::WorkerPool pool{"fake", 4, 64};
  core::WorkerPool other_pool{"other", 1, 4};
  std::shared_ptr<FakeFs> fs;
  std::shared_ptr<Usage> usage = std::make_shared<Usage>();
  std::shared_ptr<Channel> channel;
  std::size_t budget = 64 * 1024;        // of every turn
  vfs::Time now{std::chrono::hours(1)};  // for bandwidth limits
  bool alone = false;
  int wakes = 0;
  std::vector<Reply> got;
};

}  // namespace host::sftp::testing
