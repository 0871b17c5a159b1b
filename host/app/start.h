// SPDX-License-Identifier: Apache-2.0
//
// The start of a server, with what differs between `serve` and portable mode left open. Private to this folder.
#pragma once

#include <functional>

#include "host/app/signals.h"
#include "host/auth/login.h"
#include "host/config/config.h"
#include "host/core/result.h"
#include "host/plugin/registry.h"
#include "host/ssh/server.h"
#include "host/users/store.h"

namespace host::app {

// All but read_config may be empty.
struct Start {
  std::function<core::Result<config::Config>()> read_config;                // again for each reload
  bool tells_source = true;                                                 // of the configuration, in the log
  bool reloads = true;                                                      // on SIGHUP
  std::function<core::Result<void>(users::Store&, auth::Login&)> accounts;  // before logins are possible
  std::function<void(ssh::ServerOptions&)> adjust;                          // what the configuration cannot say
  // The port is open; a failure stops the server.
  std::function<core::Result<void>(const ssh::Server&, plugin::Registry&)> listening;
  std::function<void()> stop_asked;  // by a signal, while listening may still run; another thread
  std::function<void()> stopped;     // no session is left
};

// Builds everything, serves until a signal ends it, takes everything down. Main thread.
core::Result<void> run(const Start& start, Signals& signals);
// The same for the whole process; its exit code. A failed start is told in the log and, once, on standard error.
int run_process(const std::function<core::Result<void>()>& open_log, const Start& start);

}  // namespace host::app
