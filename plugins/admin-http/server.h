// SPDX-License-Identifier: Apache-2.0
//
// The HTTP server around the table of routes: sockets, threads, limits, authentication, access log.
#pragma once

#include <Poco/Net/TCPServer.h>
#include <Poco/ThreadPool.h>

#include <atomic>
#include <memory>
#include <string>

#include "htpasswd.h"
#include "http_limits.h"
#include "origin.h"
#include "routes.h"
#include "settings.h"
#include "tls.h"
#include "watch.h"

namespace admin_http {

class Server {
 public:
  Server(const sp_host& host, HostApi api, Settings settings, limits::Times times = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  sallyport::Outcome<void> start();
  sallyport::Outcome<void> reload();  // the certificate
  // Requests that are being carried out get their answers until `deadline`. SP_E_TIMED_OUT, soon after it, when one
  // does not return from the host: its thread still uses all of this. May be called again.
  sallyport::Outcome<void> stop(Watch::Clock::time_point deadline);

  // The rest is for the connections.
  Services& services() { return services_; }
  Watch& watch() { return watch_; }
  const limits::Times& times() const { return times_; }
  // Null: everybody may come in.
  PasswordFile* passwords() { return passwords_.get(); }
  const OwnNames& own_names() const { return own_names_; }
  const char* scheme() const { return tls_ ? "https" : "http"; }
  std::string next_request_id();

 private:
  Poco::Net::ServerSocket listen();

  const sallyport::Log log_;
  const Settings settings_;
  const limits::Times times_;
  const OwnNames own_names_;
  Services services_;
  std::unique_ptr<PasswordFile> passwords_;
  std::unique_ptr<Tls> tls_;
  std::string id_prefix_;
  std::atomic<std::uint64_t> requests_ = 0;
  Watch watch_;
  Poco::ThreadPool threads_;
  std::unique_ptr<Poco::Net::TCPServer> server_;
};

}  // namespace admin_http
