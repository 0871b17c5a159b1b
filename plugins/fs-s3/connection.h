// SPDX-License-Identifier: Apache-2.0
//
// One connection to a server, straight or through a proxy, plain or TLS. Its socket never blocks, not even within a TLS
// record: all that waiting is Patience's, but for a name to be looked up, which has the same end. Failures are Poco's
// exceptions. One thread at a time.
#pragma once

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/StreamSocket.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "endpoint.h"
#include "hook-common/resolver.h"
#include "patience.h"

namespace fs_s3 {

class Connection {
 public:
  // `tls`: null when the endpoint wants none. `connect_timeout`: of looking up the name, of the connection, all its
  // addresses together, and of what follows until a request may be sent.
  Connection(hook_common::Resolver& resolver, const Endpoint& endpoint, const std::optional<Proxy>& proxy,
             const Poco::Net::Context::Ptr& tls, const object_common::Stop& stop, Patience::Clock::time_point until,
             std::chrono::seconds connect_timeout);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send_head(Patience& patience, Poco::Net::HTTPRequest& head);
  // What it took of the data: a byte at least. Fails too when it takes no more and an answer has come (not with TLS).
  std::size_t send(Patience& patience, std::span<const char> data);
  // What has come: nothing when the other side has ended.
  std::size_t receive(Patience& patience, std::span<char> into);

 private:
  void connect(const Patience& patience, const std::string& address, std::uint16_t port);
  void open_tunnel(Patience& patience, const Endpoint& endpoint);
  void begin_tls(Patience& patience, const Endpoint& endpoint, const Poco::Net::Context::Ptr& context);
  void wait_for_tls(const Patience& patience, int wanted) const;

  Poco::Net::StreamSocket plain_;
  std::optional<Poco::Net::SecureStreamSocket> secure_;  // over plain_
  std::optional<Proxy> proxy_;
  std::string before_target_;  // what a proxy wants to be told with each request
};

// What comes over it, from the head of an answer to its end.
class Incoming {
 public:
  Incoming(Connection& connection, Patience& patience) : connection_(connection), patience_(patience) {}

  // Up to an empty line, with that. Empty: the other side ended before its first byte.
  std::string head();
  // A line without its end.
  std::string line();
  // Nothing: it has ended.
  std::size_t read(std::span<char> into);
  bool has_more() const { return at_ < end_; }  // which nobody has asked for

 private:
  bool fill();

  Connection& connection_;
  Patience& patience_;
  std::array<char, 16 * 1024> buffer_{};
  std::size_t at_ = 0, end_ = 0;
  std::size_t in_lines_ = 0, in_data_ = 0;  // bytes so far
};

}  // namespace fs_s3
