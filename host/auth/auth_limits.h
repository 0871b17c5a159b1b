// SPDX-License-Identifier: Apache-2.0
//
// Limits of logins that plugins decide.
#pragma once

#include <chrono>

namespace host::auth {

inline constexpr auto kAuthenticatorTime = std::chrono::seconds(90);  // deadline of one call; plugins have their own
inline constexpr auto kAuthenticatorWait = std::chrono::seconds(45);  // for a free worker of an authenticator

}  // namespace host::auth
