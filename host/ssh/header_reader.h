// SPDX-License-Identifier: Apache-2.0
//
// Waits for the PROXY header of one connection before libssh sees its socket, and takes the header off it. Lives on the
// thread that accepts, by its own waits.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/ssh/io_thread.h"
#include "host/ssh/proxy_header.h"

namespace host::ssh {

class HeaderReader : public std::enable_shared_from_this<HeaderReader> {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  struct Outcome {
    std::string problem;  // empty: the connection may go on
    bool header = false;  // there was one
    std::optional<ProxyHeader::Endpoint> client;
  };
  using Done = std::function<void(const std::shared_ptr<HeaderReader>&, Socket, const Outcome&)>;

  HeaderReader(Socket socket, Clock::time_point deadline, Done done);

  void start();
  void cancel();  // closes the connection; nobody is told

 private:
  void wait();
  void read();
  void fail(std::string problem);
  void finish(const Outcome& outcome);

  Socket socket_;
  boost::asio::steady_timer timer_;
  const Clock::time_point deadline_;
  Done done_;  // empty once told
  ProxyHeader header_;
  bool begun_ = false;
};

}  // namespace host::ssh
