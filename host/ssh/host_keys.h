// SPDX-License-Identifier: Apache-2.0
//
// The server's own keys: made on first start, 0600, with the public half beside them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/core/result.h"

namespace host::ssh {

// The key files to load. `configured` names win and must be readable (relative ones start at `dir`); when it is empty:
// id_rsa (RSA 4096), id_ecdsa (P-256) and id_ed25519 in `dir`, each made if it is missing. [setup]
core::Result<std::vector<std::filesystem::path>> ensure_host_keys(const std::filesystem::path& dir,
                                                                  const std::vector<std::string>& configured);

// What ensure_host_keys would refuse, as far as it can be told without making anything.
core::Result<void> check_host_keys(const std::filesystem::path& dir, const std::vector<std::string>& configured);

// What clients may know of a host key.
struct PublicHostKey {
  std::string type, base64, fingerprint;  // as in known_hosts, and "SHA256:..."
};

// "SHA256:..." of a private key file's public half, for people to compare.
core::Result<std::string> fingerprint(const std::filesystem::path& private_key);

}  // namespace host::ssh
