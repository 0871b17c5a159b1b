// SPDX-License-Identifier: Apache-2.0
//
// A server for one directory and one account, both made in memory; it lives as long as it is needed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/config/config.h"
#include "host/core/log.h"
#include "host/core/result.h"
#include "host/ssh/host_keys.h"
#include "host/users/user.h"

namespace host::app {

struct PortableOptions {
  config::Config config;                  // the data provider has to be "memory"
  users::User account;                    // its password is plain text
  std::optional<core::log::Options> log;  // none: no log
  std::string store;                      // where the files are, if in one that may refuse: asked before it is ready
  bool any_credentials = false;           // everybody is let in as the account
  bool advertise = false;                 // by multicast DNS; a failure is a warning
  bool advertise_credentials = false;
  std::chrono::milliseconds exit_after{0};  // 0: never
  bool with_parent = false;                 // ends when standard input does
  struct Listening {
    std::uint16_t port;
    std::vector<ssh::PublicHostKey> host_keys;  // those made for this run
  };
  std::function<core::Result<void>(const Listening&)> listening;  // the port is open; a failure stops the server
};

// The exit code of the process.
int portable(const PortableOptions& options);

}  // namespace host::app
