// SPDX-License-Identifier: Apache-2.0
//
// Secrets in accounts' storage settings, those that the storage's schema marks writeOnly. Stored they are
// `$aes256gcm$ID$HEX`: AES-256-GCM under the master key of that id, bound to the account, its storage and the member,
// so that whoever can write the database cannot give one account's secret to another. The replaced system's
// `$aes$KEY$HEX`, whose KEY is the key itself, is read and becomes ours when the account is stored.
#pragma once

#include <string>

#include <string_view>

#include "host/core/result.h"
#include "host/plugin/registry.h"
#include "host/users/master_keys.h"
#include "host/users/user.h"

namespace host::users {

// Before an account is stored: encrypts what is not, or not under the current key. What nobody can read any more stays
// as it is, and the log says so.
core::Result<void> seal_secrets(User& user, plugin::Registry& registry, MasterKeys& keys);

// Is a secret in an account's settings, or in its whole record, encrypted under a master key, whichever? Needs no
// plugin, and no record that can be read.
bool has_own_secrets(std::string_view text);

// The settings for the storage plugin, with the secrets it needs. `keys` may be null where no account of ours is.
core::Result<std::string> plain_settings(const User& user, plugin::Registry& registry, MasterKeys* keys);

}  // namespace host::users
