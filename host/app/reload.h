// SPDX-License-Identifier: Apache-2.0
//
// What SIGHUP does: the log file is opened anew, the configuration is read again and taken over where that is safe,
// accounts are reloaded.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "host/app/administration.h"
#include "host/auth/defender.h"
#include "host/config/config.h"
#include "host/core/result.h"
#include "host/core/worker_pool.h"
#include "host/ssh/server.h"
#include "host/users/store.h"

namespace host::app {

// How many accounts there are, in the log, and which of them cannot be used. Reads them all: for providers that have
// them at hand.
void tell_accounts(users::Store& store, const std::string& what);

class Reloader {
 public:
  // They outlive it. `read` loads the configuration as the start did.
  struct Parts {
    users::Store* store;
    auth::Defender* defender;
    ssh::Server* server;
    Administration* administration;
    std::function<core::Result<config::Config>()> read;
  };
  Reloader(Parts parts, config::Config started);

  // Any thread; does not block.
  void request();

 private:
  struct Settings {
    config::Config config;
    ssh::SessionOptions sessions;
    auth::DefenderOptions defender;
  };
  core::Result<Settings> read() const;
  void run();
  void reload_config();
  void look_at_hooks();
  void reload_accounts();

  const Parts parts_;
  const config::Config started_;             // keys that need a restart are as here
  config::Config current_;                   // the others are as here; used by the worker alone
  core::WorkerPool worker_{"reload", 1, 1};  // a waiting run will see all that has changed: a refused one loses nothing
};

}  // namespace host::app
