// SPDX-License-Identifier: Apache-2.0
//
// Poco's sockets, which never block here. Its HTTP sessions would: in the middle of a TLS record and of an answer's
// head they wait for as long as a byte comes now and then.
#include "connection.h"

#include <Poco/Net/HTTPBasicCredentials.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/SocketImpl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <system_error>
#include <utility>

namespace fs_s3 {
namespace {

using Poco::Net::SecureStreamSocket;
using Poco::Net::Socket;

constexpr int kSilenceBeforeProbes = 30, kBetweenProbes = 10, kProbes = 6;  // seconds, seconds, how many
constexpr std::size_t kWriteStep = 1024 * 1024;
constexpr std::size_t kTlsRecord = 16 * 1024;     // what is sent again after a wait must be the same
constexpr std::size_t kMaxLineBytes = 64 * 1024;  // of all lines of an answer, but for those that chunks need
constexpr std::size_t kChunkLines = 16;           // bytes of lines for a byte of data, and more than that

std::string words(int error) { return std::generic_category().message(error); }

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

// OpenSSL takes an error that is left from another connection of the thread for one of this call.
SecureStreamSocket& without_old_errors(SecureStreamSocket& socket) {
  ::ERR_clear_error();
  return socket;
}

std::string with_port(const Endpoint& endpoint) {
  const std::string text = endpoint.authority(), port = ":" + std::to_string(endpoint.port);
  return text.ends_with(port) ? text : text + port;
}

hook_common::Resolver::Addresses addresses_of(hook_common::Resolver& resolver, const std::string& host,
                                              const object_common::Stop& stop, Patience::Clock::time_point deadline) {
  Poco::Net::IPAddress digits;
  if (Poco::Net::IPAddress::tryParse(host, digits)) return {host};
  auto found = resolver.find(host, deadline, [&] { return stop && stop(); });
  if (found) return *std::move(found);
  if (found.failure().status == SP_E_CANCELLED) throw Poco::TimeoutException(found.failure().message);
  throw Poco::Net::DNSException(found.failure().message);
}

}  // namespace

Connection::Connection(hook_common::Resolver& resolver, const Endpoint& endpoint, const std::optional<Proxy>& proxy,
                       const Poco::Net::Context::Ptr& tls, const object_common::Stop& stop,
                       Patience::Clock::time_point until, std::chrono::seconds connect_timeout)
    : proxy_(proxy) {
  using Clock = Patience::Clock;
  const auto end = [&] { return std::min(until, Clock::now() + connect_timeout); };
  const auto addresses = addresses_of(resolver, proxy ? proxy->host : endpoint.host, stop, end());
  const auto last = end();
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto others = static_cast<int>(addresses.size() - i - 1);
    const auto now = Clock::now();
    const Patience share(stop, now + (last - now) / (others + 1), connect_timeout);
    try {
      connect(share, addresses[i], proxy ? proxy->port : endpoint.port);
      break;
    } catch (const Poco::Exception&) {
      if (others == 0 || Clock::now() >= last || (stop && stop())) throw;
      plain_ = Poco::Net::StreamSocket();
    }
  }
  Patience then(stop, end(), connect_timeout);
  if (!tls) {
    if (proxy) before_target_ = "http://" + endpoint.authority();
    return;
  }
  if (proxy) open_tunnel(then, endpoint);
  begin_tls(then, endpoint, tls);
}

void Connection::connect(const Patience& patience, const std::string& address, std::uint16_t port) {
  plain_.connectNB(Poco::Net::SocketAddress(address, port));
  patience.wait(plain_, Socket::SELECT_WRITE);
  if (const int error = plain_.impl()->socketError(); error != 0) {
    if (error == ECONNREFUSED) throw Poco::Net::ConnectionRefusedException(address + ":" + std::to_string(port));
    throw Poco::Net::NetException(words(error), error);
  }
  plain_.setNoDelay(true);
  // A store that is gone is noticed where its answer may take long, too.
  plain_.setKeepAlive(true);
  plain_.setOption(IPPROTO_TCP, TCP_KEEPIDLE, kSilenceBeforeProbes);
  plain_.setOption(IPPROTO_TCP, TCP_KEEPINTVL, kBetweenProbes);
  plain_.setOption(IPPROTO_TCP, TCP_KEEPCNT, kProbes);
}

void Connection::open_tunnel(Patience& patience, const Endpoint& endpoint) {
  using Poco::Net::HTTPRequest;
  HTTPRequest head(HTTPRequest::HTTP_CONNECT, with_port(endpoint), HTTPRequest::HTTP_1_1);
  head.set("Host", with_port(endpoint));
  send_head(patience, head);
  proxy_.reset();  // which hears no more of what follows
  Incoming incoming(*this, patience);
  std::istringstream answer(incoming.head());
  Poco::Net::HTTPResponse response;
  response.read(answer);
  if (response.getStatus() / 100 != 2 || incoming.has_more()) {
    throw Poco::Net::HTTPException("the proxy answers " + std::to_string(response.getStatus()));
  }
}

void Connection::begin_tls(Patience& patience, const Endpoint& endpoint, const Poco::Net::Context::Ptr& context) {
  secure_ = SecureStreamSocket::attach(plain_, endpoint.host, context);
  int done = 0;
  while ((done = without_old_errors(*secure_).completeHandshake()) < 0) wait_for_tls(patience, done);
  if (done == 0) throw Poco::Net::NetException("closed amid the handshake");
  secure_->verifyPeerCertificate();
}

void Connection::wait_for_tls(const Patience& patience, int wanted) const {
  patience.wait(plain_, wanted == SecureStreamSocket::ERR_SSL_WANT_WRITE ? Socket::SELECT_WRITE : Socket::SELECT_READ);
}

void Connection::send_head(Patience& patience, Poco::Net::HTTPRequest& head) {
  head.setURI(before_target_ + head.getURI());
  if (proxy_ && !proxy_->user.empty() && !secure_) {
    Poco::Net::HTTPBasicCredentials(proxy_->user, proxy_->password).proxyAuthenticate(head);
  }
  std::ostringstream out;
  head.write(out);
  const std::string text = out.str();
  for (std::size_t at = 0; at < text.size();) at += send(patience, std::span(text).subspan(at));
}

std::size_t Connection::send(Patience& patience, std::span<const char> data) {
  while (true) {
    if (secure_) {
      const auto size = static_cast<int>(std::min(data.size(), kTlsRecord));
      const int sent = without_old_errors(*secure_).sendBytes(data.data(), size);
      if (sent == 0) throw Poco::Net::ConnectionResetException();
      patience.moved(sent > 0 ? static_cast<std::size_t>(sent) : 0);
      if (sent > 0) return static_cast<std::size_t>(sent);
      wait_for_tls(patience, sent);
      continue;
    }
    const auto sent = ::send(plain_.impl()->sockfd(), data.data(), std::min(data.size(), kWriteStep), MSG_NOSIGNAL);
    if (sent < 0 && !would_block()) throw Poco::Net::NetException(words(errno), errno);
    patience.moved(sent > 0 ? static_cast<std::size_t>(sent) : 0);
    if (sent > 0) return static_cast<std::size_t>(sent);
    patience.wait(plain_, Socket::SELECT_WRITE | Socket::SELECT_READ);
    // Whoever answers before the end may read no further, and never close either.
    if (plain_.poll(0, Socket::SELECT_READ)) throw Poco::Net::NetException("the other side has answered or ended");
  }
}

std::size_t Connection::receive(Patience& patience, std::span<char> into) {
  while (true) {
    ssize_t got = 0;
    if (secure_) {
      constexpr std::size_t kMost = 1 << 30;
      got = without_old_errors(*secure_).receiveBytes(into.data(), static_cast<int>(std::min(into.size(), kMost)));
    } else {
      got = ::recv(plain_.impl()->sockfd(), into.data(), into.size(), 0);
      if (got < 0 && !would_block()) throw Poco::Net::NetException(words(errno), errno);
    }
    if (got == 0) return 0;
    patience.moved(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (secure_) {
      wait_for_tls(patience, static_cast<int>(got));
    } else {
      patience.wait(plain_, Socket::SELECT_READ);
    }
  }
}

bool Incoming::fill() {
  at_ = 0;
  end_ = connection_.receive(patience_, buffer_);
  return end_ > 0;
}

std::string Incoming::line() {
  std::string text;
  while (true) {
    if (at_ == end_ && !fill()) throw Poco::Net::NetException("it ended early");
    const auto from = buffer_.begin() + static_cast<std::ptrdiff_t>(at_);
    const auto to = buffer_.begin() + static_cast<std::ptrdiff_t>(end_);
    const auto found = std::find(from, to, '\n');
    text.append(from, found);
    const auto taken = static_cast<std::size_t>(found - from) + (found != to ? 1 : 0);
    at_ += taken;
    in_lines_ += taken;
    if (in_lines_ > kMaxLineBytes + in_data_ * kChunkLines) throw Poco::Net::MessageException("too long");
    if (found == to) continue;
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }
}

std::string Incoming::head() {
  if (at_ == end_ && !fill()) return {};
  std::string all;
  while (true) {
    const std::string next = line();
    all.append(next).append("\r\n");
    if (next.empty()) return all;
  }
}

std::size_t Incoming::read(std::span<char> into) {
  std::size_t count = 0;
  if (at_ == end_ && into.size() >= buffer_.size()) {
    count = connection_.receive(patience_, into);
  } else if (at_ < end_ || fill()) {
    count = std::min(into.size(), end_ - at_);
    std::copy_n(buffer_.data() + at_, count, into.data());
    at_ += count;
  }
  in_data_ += count;
  return count;
}

}  // namespace fs_s3
