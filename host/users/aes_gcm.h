// SPDX-License-Identifier: Apache-2.0
//
// AES-256-GCM over whole texts. Pure functions but for random numbers; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace host::users {

inline constexpr std::size_t kAesKeyBytes = 32;

// Nonce (12 random bytes), ciphertext and tag (16). `bound` is not in it, but decrypting needs the same. Nothing: the
// library or its random numbers failed.
std::optional<std::string> aes_encrypt(std::string_view key, std::string_view plain, std::string_view bound);

// Nothing: changed, cut short, another key or something else that it was bound to.
std::optional<std::string> aes_decrypt(std::string_view key, std::string_view sealed, std::string_view bound);

}  // namespace host::users
