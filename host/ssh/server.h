// SPDX-License-Identifier: Apache-2.0
//
// The SSH server as a whole: one listener, a group of I/O threads per core, sessions spread over them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/admin/sessions.h"
#include "host/auth/defender.h"
#include "host/auth/login_flow.h"
#include "host/core/result.h"
#include "host/events/events.h"
#include "host/plugin/registry.h"
#include "host/ssh/host_keys.h"
#include "host/ssh/session_options.h"

namespace host::ssh {

// What sessions need from the rest of the host; all outlive the server.
struct Services {
  plugin::Registry* registry = nullptr;
  auth::LoginFlow* logins = nullptr;
  auth::Defender* defender = nullptr;
  admin::Sessions* sessions = nullptr;
  vfs::Quotas* quotas = nullptr;
  events::Events* events = nullptr;  // null: nobody is told
};

struct ServerOptions {
  std::string address;                              // empty: all interfaces, IPv4 and IPv6
  int port = 2022;                                  // 0: any free port
  int random_port_first = 0, random_port_last = 0;  // with port 0: preferably one of these
  std::vector<std::filesystem::path> host_keys;
  bool throwaway_host_keys = false;             // instead of files: made for this run and never stored
  std::string software;                         // identification after "SSH-2.0-" (RFC 4253 section 4.2)
  std::vector<std::string> kex, ciphers, macs;  // empty: defaults of algorithms.h
  int io_threads = 0;                           // groups; 0: one per core
  int drain_s = 10;                             // what running transfers get at stop()
  bool fast_socket = true;
  SessionOptions sessions;
};

class Server {
 public:
  // Binds and listens; errors name the address or option. [setup]
  static core::Result<std::unique_ptr<Server>> create(ServerOptions options, Services services);
  ~Server();

  void run();   // serves until stop(); the caller's thread only waits
  void stop();  // any thread: ends idle sessions, lets transfers finish for drain_s; called again: ends now
  void set_session_options(SessionOptions options);  // any thread: for connections from now on
  std::uint16_t port() const;
  // Public halves of the keys that were made for this run.
  const std::vector<PublicHostKey>& throwaway_host_keys() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace host::ssh
