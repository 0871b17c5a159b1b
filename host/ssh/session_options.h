// SPDX-License-Identifier: Apache-2.0
//
// What may change while the server runs. Each connection keeps what was in force when it came.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/users/cidr.h"
#include "host/vfs/session_fs.h"

namespace host::ssh {

struct SessionOptions {
  std::string login_banner;       // shown before authentication; may be empty
  int max_auth_tries = 0;         // 0: the default, negative: unlimited
  int login_grace_s = 120;        // PROXY header, handshake and login together
  int idle_timeout_min = 15;      // 0: never
  std::uint64_t rekey_bytes = 0;  // in one direction; 0: what the cipher needs (RFC 4344 section 3.2)
  enum class Proxy { kOff, kOptional, kRequired };
  Proxy proxy = Proxy::kOff;
  std::vector<users::Cidr> proxies;   // whose headers are believed; empty: everybody's
  std::vector<std::string> commands;  // that clients may run
  vfs::Options vfs;
};

}  // namespace host::ssh
