// SPDX-License-Identifier: Apache-2.0
//
// Storages' secrets as they lie in the database: `$aes$KEY$HEX`, the form of the replaced system, which reads and
// writes them too. KEY is 32 characters that are themselves the AES-256-GCM key, HEX nonce, ciphertext and tag. It
// hides a secret from a glance, not from whoever has the database.
#pragma once

#include <string>
#include <string_view>

#include "host/core/result.h"
#include "host/users/user.h"

namespace host::users {

bool is_sealed(std::string_view text);
core::Result<std::string> seal(std::string_view plain);
core::Result<std::string> unseal(std::string_view sealed);  // kInvalid: damaged

// Before an account is stored. What is sealed already stays as it is.
core::Result<void> seal_secrets(Filesystem& filesystem);
// The settings for the storage plugin, with the secrets it needs.
core::Result<std::string> plain_settings(const Filesystem& filesystem);

}  // namespace host::users
