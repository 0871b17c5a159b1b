// SPDX-License-Identifier: Apache-2.0
//
// Restrictions that accounts may carry and this version does not enforce.
#pragma once

#include <string_view>

#include "host/core/result.h"
#include "host/users/user.h"

namespace host::auth {

// Refuses a login whose access restrictions would silently not hold. [any thread]
core::Result<void> refuse_unenforced(const users::User& user);
// One warning for limits that will not hold in this session. [any thread]
void warn_unenforced(const users::User& user);

}  // namespace host::auth
