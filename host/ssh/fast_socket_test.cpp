// SPDX-License-Identifier: Apache-2.0
//
// What libssh finds instead of the system's calls: short reads, full sockets, ends of all kinds, and descriptors that
// are no concern of theirs. In builds that have the accelerator also under the names by which libssh calls them.
#include "host/ssh/fast_socket.h"

#include <gtest/gtest.h>

#if defined(__linux__)

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace host::ssh {
namespace {

struct Calls {
  const char* name;
  ssize_t (*recv)(int, void*, std::size_t, int);
  ssize_t (*send)(int, const void*, std::size_t, int);
  int (*poll)(pollfd*, nfds_t, int);
  int (*close)(int);
};

std::vector<Calls> ways() {
  std::vector<Calls> all = {{"Direct", FastCalls::recv, FastCalls::send, FastCalls::poll, FastCalls::close}};
  if (fast_socket_built()) all.push_back({"Interposed", ::recv, ::send, ::poll, ::close});
  return all;
}

class FastSocketTest : public testing::TestWithParam<Calls> {
 protected:
  FastSocketTest() {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    ours_ = pair[0];
    peers_ = pair[1];
    EXPECT_TRUE(fast_socket_attach(ours_, &socket_));
  }
  ~FastSocketTest() override {
    if (ours_ >= 0) fast_socket_detach(ours_, &socket_);
    close_ours();
    close_peer();
  }

  void peer_says(std::string_view text) {
    EXPECT_EQ(::write(peers_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // As much as there is.
  std::size_t peer_reads() {
    std::size_t all = 0;
    std::array<char, 65536> part{};
    for (ssize_t got = 0; (got = ::recv(peers_, part.data(), part.size(), MSG_DONTWAIT)) > 0;)
      all += static_cast<std::size_t>(got);
    return all;
  }
  void close_peer() {
    if (peers_ >= 0) ::close(peers_);
    peers_ = -1;
  }
  void close_ours() {
    if (ours_ >= 0) GetParam().close(ours_);
    ours_ = -1;
  }
  void fill(std::size_t room = 4096) {
    buffer_.assign(room, std::byte{0});
    fast_socket_fill(ours_, socket_, buffer_);
  }
  // "-" and the error's name for -1.
  std::string read(std::size_t room) {
    std::string text(room, ' ');
    errno = 0;
    const auto got = GetParam().recv(ours_, text.data(), room, 0);
    return got < 0 ? std::string("-") + ::strerrorname_np(errno) : text.substr(0, static_cast<std::size_t>(got));
  }
  ssize_t send(std::size_t size) {
    const std::string data(size, 'x');
    return GetParam().send(ours_, data.data(), data.size(), 0);
  }
  // What poll says at once, although it may wait for ever; -1: not what its result says.
  int poll(short events) {
    pollfd asked{.fd = ours_, .events = events, .revents = -1};
    const int ready = GetParam().poll(&asked, 1, -1);
    return ready == (asked.revents != 0 ? 1 : 0) ? asked.revents : -1;
  }

  int ours_ = -1, peers_ = -1;
  FastSocket socket_;
  std::vector<std::byte> buffer_;
};

TEST_P(FastSocketTest, ReadsWhatWasReceivedAndNoMore) {
  peer_says("abcdefgh");
  EXPECT_EQ(read(3), "-EAGAIN") << "the session receives, when it has its turn";
  EXPECT_EQ(poll(POLLIN), 0);
  fill();
  EXPECT_EQ(poll(POLLIN), POLLIN);
  EXPECT_EQ(poll(POLLOUT), POLLOUT) << "only what is asked for";
  EXPECT_EQ(read(3), "abc");
  EXPECT_EQ(read(100), "defgh");
  EXPECT_EQ(read(100), "-EAGAIN");
  EXPECT_EQ(poll(POLLIN), 0);
  fill();
  EXPECT_EQ(read(100), "-EAGAIN") << "nothing more has come";
  EXPECT_FALSE(socket_.end_of_input);
}

TEST_P(FastSocketTest, ReceivesAsMuchAsThereIsRoomFor) {
  peer_says("abcdef");
  fill(4);
  EXPECT_EQ(read(100), "abcd");
  fill(4);
  EXPECT_EQ(read(100), "ef");
}

TEST_P(FastSocketTest, ThePeersEndComesAfterItsLastBytes) {
  peer_says("bye");
  close_peer();
  fill();
  EXPECT_FALSE(socket_.end_of_input);
  EXPECT_EQ(read(100), "bye");
  EXPECT_EQ(read(100), "-EAGAIN");
  fill();
  EXPECT_TRUE(socket_.end_of_input);
  EXPECT_FALSE(socket_.failed);
  EXPECT_EQ(poll(POLLIN), POLLIN);
  EXPECT_EQ(read(100), "");
}

TEST_P(FastSocketTest, AConnectionThatIsResetFails) {
  EXPECT_EQ(send(1), 1);
  close_peer();  // with that byte unread
  fill();
  EXPECT_TRUE(socket_.failed);
  EXPECT_EQ(poll(0), POLLERR);
  EXPECT_EQ(poll(POLLIN), POLLIN | POLLERR);
  EXPECT_EQ(read(100), "");
}

TEST_P(FastSocketTest, AFullSocketIsWaitedFor) {
  constexpr std::size_t kMuch = 16 << 20;  // more than any socket's buffer
  EXPECT_EQ(poll(POLLIN | POLLOUT), POLLOUT);
  const auto sent = send(kMuch);
  ASSERT_GT(sent, 0);
  ASSERT_LT(sent, static_cast<ssize_t>(kMuch));
  EXPECT_TRUE(socket_.wants_write);
  EXPECT_EQ(poll(POLLOUT), 0);
  EXPECT_EQ(send(kMuch), 0) << "EAGAIN would end the connection";
  EXPECT_EQ(peer_reads(), static_cast<std::size_t>(sent));
  EXPECT_EQ(poll(POLLOUT), 0) << "until the event loop has seen it";
  socket_.writable = true;
  socket_.wants_write = false;
  EXPECT_EQ(poll(POLLOUT), POLLOUT);
  EXPECT_EQ(send(10), 10);
  EXPECT_FALSE(socket_.wants_write);
  EXPECT_EQ(peer_reads(), 10U);
}

TEST_P(FastSocketTest, WhatIsSentToNobodyRaisesNoSignal) {
  close_peer();
  EXPECT_EQ(send(10), -1);
  EXPECT_EQ(errno, EPIPE);
  EXPECT_FALSE(socket_.wants_write);
}

TEST_P(FastSocketTest, OtherDescriptorsAreTheSystems) {
  const auto& calls = GetParam();
  std::array<char, 8> into{};
  EXPECT_EQ(calls.recv(peers_, into.data(), into.size(), MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(send(3), 3);
  std::array<pollfd, 2> both = {{{ours_, POLLIN, 0}, {peers_, POLLIN, 0}}};
  EXPECT_EQ(calls.poll(&both[1], 1, -1), 1);
  EXPECT_EQ(both[1].revents, POLLIN);
  EXPECT_EQ(calls.poll(both.data(), both.size(), 1000), 1) << "of several only the system knows";
  EXPECT_EQ(calls.recv(peers_, into.data(), into.size(), 0), 3);
  EXPECT_EQ(calls.poll(&both[1], 1, 1), 0);
  EXPECT_EQ(calls.send(peers_, "ab", 2, MSG_NOSIGNAL), 2);
  fill();
  EXPECT_EQ(read(100), "ab");
  for (const int none : {-1, 1 << 20}) {
    EXPECT_EQ(calls.recv(none, into.data(), into.size(), 0), -1);
    EXPECT_EQ(errno, EBADF);
    EXPECT_EQ(calls.close(none), -1);
    FastSocket nobodys;
    EXPECT_FALSE(fast_socket_attach(none, &nobodys));
  }
}

TEST_P(FastSocketTest, AClosedDescriptorsNumberIsFree) {
  const int number = ours_;
  close_ours();
  ASSERT_EQ(::dup2(peers_, number), number) << "somebody else has it now";
  close_peer();
  ours_ = number;
  EXPECT_EQ(read(8), "") << "the system's answer";
  FastSocket others;
  EXPECT_TRUE(fast_socket_attach(number, &others));
  fast_socket_detach(number, &socket_);
  EXPECT_EQ(read(8), "-EAGAIN") << "who has lost it takes it away from nobody";
  fast_socket_detach(number, &others);
  EXPECT_EQ(read(8), "");
}

INSTANTIATE_TEST_SUITE_P(Ways, FastSocketTest, testing::ValuesIn(ways()),
                         [](const auto& way) { return way.param.name; });

}  // namespace
}  // namespace host::ssh

#endif
