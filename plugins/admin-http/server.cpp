// SPDX-License-Identifier: Apache-2.0
//
// Life of the server. Start, stop and reload come from the host, one at a time; connections run on `threads_`, at most
// limits::kThreads of them.
#include "server.h"

#include <Poco/Environment.h>
#include <Poco/Exception.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/Net/ServerSocket.h>
#include <openssl/rand.h>

#include <array>
#include <cstdio>

#include "connection.h"
#include "http_limits.h"

namespace admin_http {

namespace net = Poco::Net;

namespace {

constexpr int kIdleThreadSeconds = 60;

std::string random_word() {
  constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::array<unsigned char, 10> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  std::string word;
  for (const auto byte : bytes) word += kLetters[byte % (sizeof kLetters - 1)];
  return word;
}

}  // namespace

Server::Server(const sp_host& host, HostApi api, Settings settings, limits::Times times)
    : log_(&host, "httpd"),
      settings_(std::move(settings)),
      times_(times),
      own_names_{Poco::Environment::nodeName(), settings_.allowed_hosts,
                 !settings_.auth_user_file.empty() || settings_.beyond_this_machine()},
      services_{api, {}},
      id_prefix_(Poco::Environment::nodeName() + "/" + random_word() + "-"),
      threads_("http", 2, limits::kThreads, kIdleThreadSeconds) {
  if (!settings_.auth_user_file.empty()) {
    passwords_ = std::make_unique<PasswordFile>(
        settings_.auth_user_file,
        [api](std::string_view hash, std::string_view password) {
          return api.info->check_password(api.info->ctx, sallyport::str(hash), sallyport::str(password)) == SP_OK;
        },
        log_);
  }
  if (settings_.tls()) tls_ = std::make_unique<Tls>(settings_.certificate_file, settings_.certificate_key_file);
}

// Whoever lets go of it has no use for a thread that would find nothing.
Server::~Server() {
  if (!stop(Watch::Clock::now())) threads_.joinAll();
}

net::ServerSocket Server::listen() {
  const auto port = static_cast<Poco::UInt16>(settings_.bind_port > 0 ? settings_.bind_port : 0);
  net::ServerSocket socket = tls_ ? net::ServerSocket(net::SecureServerSocket(tls_->context())) : net::ServerSocket();
  if (settings_.bind_address.empty()) {
    socket.bind6(net::SocketAddress(net::IPAddress(net::IPAddress::IPv6), port), true, false, false);
  } else {
    const net::SocketAddress address(net::IPAddress(settings_.bind_address), port);
    if (address.family() == net::SocketAddress::IPv6) {
      socket.bind6(address, true, false, true);
    } else {
      socket.bind(address, true, false);
    }
  }
  socket.listen(limits::kBacklog);
  return socket;
}

sallyport::Outcome<void> Server::start() {
  if (passwords_) {
    if (auto read = passwords_->read(); !read) return read;
  }
  if (tls_) {
    if (auto loaded = tls_->load(); !loaded) return loaded;
  }
  try {
    auto params = http_params(times_);
    const auto socket = listen();
    server_ = std::make_unique<net::TCPServer>(new ConnectionFactory(*this, params), threads_, socket, params);
    server_->start();
    const std::string where = socket.address().toString();
    if (settings_.beyond_this_machine() && (!passwords_ || !tls_)) {
      log_.warn(std::string("anybody in the network may ") +
                (passwords_ ? "read the administrators' passwords" : "administer this server") +
                ": httpd.allow_insecure is set");
    }
    log_.info("listening on " + std::string(scheme()) + "://" + where);
    return {};
  } catch (const Poco::Exception& e) {
    const std::string where =
        (settings_.bind_address.empty() ? "*" : settings_.bind_address) + ":" + std::to_string(settings_.bind_port);
    return sallyport::Failure{
        SP_E_IO, "cannot listen on " + where + " (httpd.bind_address, httpd.bind_port): " + e.displayText(), e.code()};
  }
}

sallyport::Outcome<void> Server::reload() {
  if (!tls_) return {};
  if (auto loaded = tls_->load(); !loaded) return loaded;
  log_.info("the certificate was read again");
  return {};
}

sallyport::Outcome<void> Server::stop(Watch::Clock::time_point deadline) {
  if (!server_) return {};
  server_->stop();
  if (const auto left = watch_.cut_all(deadline); !left.empty()) {
    std::string all;
    for (const auto& each : left) all += (all.empty() ? "" : ", ") + each;
    return sallyport::Failure{SP_E_TIMED_OUT, "still being carried out: " + all, 0};
  }
  threads_.joinAll();
  server_.reset();
  return {};
}

std::string Server::next_request_id() {
  char number[24];
  std::snprintf(number, sizeof number, "%06llu", static_cast<unsigned long long>(++requests_));
  return id_prefix_ + number;
}

}  // namespace admin_http
