// SPDX-License-Identifier: Apache-2.0
//
// What notifiers hear about changes of accounts. Private to this folder. Any thread.
#pragma once

#include "host/events/events.h"
#include "host/plugin/registry.h"
#include "host/users/user.h"

namespace host::admin {

// `events` may be null.
void tell(events::Events* events, events::Kind kind, const users::User& user, plugin::Registry& registry);

}  // namespace host::admin
