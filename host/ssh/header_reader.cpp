// SPDX-License-Identifier: Apache-2.0
//
// Looks at what has arrived and then takes just what the header has of it: what follows belongs to libssh. Whatever is
// looked at is either taken or ends the wait, so a part of a header does not make the event loop spin.
#include "host/ssh/header_reader.h"

#include <array>
#include <utility>

namespace host::ssh {
namespace {

constexpr std::size_t kPeekBytes = 1024;

}  // namespace

HeaderReader::HeaderReader(Socket socket, Clock::time_point deadline, Done done)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), deadline_(deadline), done_(std::move(done)) {}

void HeaderReader::start() {
  boost::system::error_code error;
  socket_.non_blocking(true, error);
  if (error) return fail("cannot watch the connection: " + error.message());
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
    if (!cancelled) self->fail("login did not happen in time");
  });
  read();
}

void HeaderReader::cancel() {
  done_ = nullptr;
  timer_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void HeaderReader::wait() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
    if (error) return self->fail("connection closed");
    self->read();
  });
}

void HeaderReader::read() {
  std::array<std::uint8_t, kPeekBytes> bytes;
  while (done_) {
    boost::system::error_code error;
    const auto there = socket_.receive(boost::asio::buffer(bytes), Socket::message_peek, error);
    if (error == boost::asio::error::would_block) return wait();
    if (error || there == 0) return fail("connection closed");
    if (!std::exchange(begun_, true) && !ProxyHeader::begins_with(bytes[0])) return finish({});
    const auto taken = header_.take({bytes.data(), there});
    socket_.receive(boost::asio::buffer(bytes.data(), taken), 0, error);
    if (header_.state() == ProxyHeader::State::kMalformed) {
      return fail("Can't read the PROXY header: " + header_.problem());
    }
    if (header_.state() == ProxyHeader::State::kComplete) return finish({{}, true, header_.client()});
  }
}

void HeaderReader::fail(std::string problem) {
  Outcome outcome;
  outcome.problem = std::move(problem);
  finish(outcome);
}

void HeaderReader::finish(const Outcome& outcome) {
  const auto done = std::exchange(done_, nullptr);
  if (!done) return;
  timer_.cancel();
  done(shared_from_this(), std::move(socket_), outcome);
}

}  // namespace host::ssh
