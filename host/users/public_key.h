// SPDX-License-Identifier: Apache-2.0
//
// Public keys of accounts, as lines of an authorized_keys file.
#pragma once

#include <string>
#include <string_view>

#include "host/core/result.h"

namespace host::users {

struct PublicKey {
  std::string type;     // "ssh-ed25519", ...
  std::string blob;     // RFC 4253 section 6.6: what base64 encodes
  std::string comment;  // may be empty
};

// `[options] TYPE BASE64 [comment]`. Options are skipped. The blob must be a whole key of that type.
core::Result<PublicKey> parse_public_key(std::string_view line);

// "SHA256:" and the unpadded base64 of the digest, as OpenSSH prints it.
std::string key_fingerprint(std::string_view blob);

}  // namespace host::users
