// SPDX-License-Identifier: Apache-2.0
//
// Limits that accounts may carry and this version does not apply.
#pragma once

#include "host/users/user.h"

namespace host::auth {

// One warning for limits that will not hold in this session. [any thread]
void warn_unenforced(const users::User& user);

}  // namespace host::auth
