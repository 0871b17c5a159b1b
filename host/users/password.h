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

// Can a password be verified against it? False for other texts, malformed hashes, and those whose parameters cost more
// than a worker may spend (password_limits below).
bool is_usable_hash(std::string_view text);

// Is it of the kind and cost that hash_password makes?
bool is_own_hash(std::string_view hash);

// argon2id, v=19, m=65536, t=3, p=2, 16-byte salt, 32-byte key.
core::Result<std::string> hash_password(std::string_view plain);

// For a password that nobody but this process keeps, and which dies with it: quick to make and to verify.
core::Result<std::string> hash_throwaway_password(std::string_view plain);

// Constant-time comparison; false for hashes that are not usable and for an empty password.
bool verify_password(std::string_view hash, std::string_view plain);

// Costs what verifying against a stored hash costs; always false. For users that do not exist. `like` is a stored hash
// whose scheme and parameters set the cost; without a usable one it is that of hash_password.
bool verify_nothing(std::string_view plain, std::string_view like = {});

// The part of a usable hash that decides what verifying costs: scheme and parameters, no salt. Empty otherwise.
std::string_view hash_cost_class(std::string_view hash);

// Bounds on parameters of stored hashes, so that a hostile record cannot hold a worker for long.
namespace password_limits {
inline constexpr unsigned kArgonMemoryKib = 1024 * 1024;
inline constexpr unsigned kArgonPasses = 100;
inline constexpr unsigned long kArgonWorkKib = 8UL * 1024 * 1024;  // memory times passes, about 8 s
inline constexpr unsigned kArgonLanes = 64;
inline constexpr unsigned kBcryptCost = 17;  // about 8 s
inline constexpr unsigned kShaCryptRounds = 10'000'000;
inline constexpr unsigned kPbkdf2Iterations = 10'000'000;
inline constexpr unsigned kYescryptMemoryKib = 1024 * 1024;
}  // namespace password_limits

}  // namespace host::users
