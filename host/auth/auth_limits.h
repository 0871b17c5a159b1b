// SPDX-License-Identifier: Apache-2.0
//
// Limits of logins.
#pragma once

#include <chrono>
#include <cstddef>

namespace host::auth {

inline constexpr auto kAuthenticatorTime = std::chrono::seconds(90);  // deadline of one call; plugins have their own
inline constexpr auto kAuthenticatorWait = std::chrono::seconds(45);  // for a free worker of an authenticator

inline constexpr std::size_t kMaxHashThreads = 16;     // each takes 64 MiB while it hashes
inline constexpr std::size_t kMaxLastLogins = 10'000;  // that wait for the data provider

}  // namespace host::auth
