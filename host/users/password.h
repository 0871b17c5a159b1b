// SPDX-License-Identifier: Apache-2.0
//
// Password hashes. Verification and hashing are slow by design: worker threads only.
#pragma once

#include <string>
#include <string_view>

#include "host/core/result.h"

namespace host::users {

// True for a text that is stored as it is: it starts with the prefix of a scheme that verify_password knows.
bool is_password_hash(std::string_view text);

// argon2id, v=19, m=65536, t=3, p=2, 16-byte salt, 32-byte key.
core::Result<std::string> hash_password(std::string_view plain);

// Constant-time comparison; false for malformed hashes and for an empty hash or password.
bool verify_password(std::string_view hash, std::string_view plain);

// Costs what verifying against a stored hash costs; always false. For users that do not exist.
bool verify_nothing(std::string_view plain);

}  // namespace host::users
