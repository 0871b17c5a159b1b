// SPDX-License-Identifier: Apache-2.0
//
// Accounts for others to see, and what notifiers hear about them. Private to this folder. Any thread.
#pragma once

#include <nlohmann/json.hpp>

#include "host/events/events.h"
#include "host/plugin/registry.h"
#include "host/users/user.h"

namespace host::admin {

nlohmann::ordered_json without_secrets(const users::User& user, plugin::Registry& registry);

// `events` may be null.
void tell(events::Events* events, events::Kind kind, const users::User& user, plugin::Registry& registry);

}  // namespace host::admin
