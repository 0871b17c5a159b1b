// SPDX-License-Identifier: Apache-2.0
//
// An account for people to see. Any thread.
#pragma once

#include "host/plugin/registry.h"
#include "host/users/user_json.h"

namespace host::users {

// Without the password and without secrets: of a sealed one it shows what tells nothing (plugin/sealed_text.h), so that
// it can be sent back. Where the storage's plugin is missing, no text of its settings is shown.
Json public_json(const User& user, plugin::Registry& registry);

}  // namespace host::users
