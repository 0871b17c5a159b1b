// SPDX-License-Identifier: Apache-2.0
//
// Conditions of an account that have nothing to do with proof of identity. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "host/core/result.h"
#include "host/users/user.h"

namespace host::auth {

// Active and not expired.
core::Result<void> check_status(const users::User& user, std::int64_t now_ms);
// Home directory, denied methods, address filters.
core::Result<void> check_restrictions(const users::User& user, std::string_view method, std::string_view client_ip);
// Denied blocks first, then allowed ones; no allowed list allows. With filters set, an address that cannot be read is
// refused.
core::Result<void> check_address(const users::Filters& filters, std::string_view client_ip);

}  // namespace host::auth
