// SPDX-License-Identifier: Apache-2.0
//
// Which SSH algorithms are offered. Always explicit lists: the library's own defaults offer compression and end in a
// stray comma, and include what no operator should have to switch off.
#pragma once

#include <libssh/server.h>

#include <string>
#include <vector>

#include "host/core/result.h"

namespace host::ssh {

struct Algorithms {
  std::vector<std::string> kex, ciphers, macs;  // empty: the defaults below

  // RFC 8731, RFC 5656, RFC 8268. Group 18 and group exchange cost too much time on an I/O thread to be defaults.
  static const std::vector<std::string>& default_kex();
  static const std::vector<std::string>& default_ciphers();  // AEAD first; no CBC
  static const std::vector<std::string>& default_macs();     // encrypt-then-MAC first; no SHA-1
  static const std::vector<std::string>& host_key_types();
  static const std::vector<std::string>& user_key_types();  // RSA only with SHA-2 (RFC 8332)
};

// Sets every list on `bind`; kInvalid names the key and the first name the library does not know.
core::Result<void> apply(const Algorithms& algorithms, ssh_bind bind);

}  // namespace host::ssh
