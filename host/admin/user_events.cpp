// SPDX-License-Identifier: Apache-2.0
//
// Changes that somebody asked for; counters, logins and what authenticators store tell nobody. Threads of services.
#include "host/admin/user_events.h"

#include "host/users/public_json.h"

namespace host::admin {

void tell(events::Events* events, events::Kind kind, const users::User& user, plugin::Registry& registry) {
  if (events == nullptr || !events->wants(kind)) return;
  events::UserEvent event;
  event.kind = kind;
  event.username = user.username;
  event.user_json = users::public_json(user, registry).dump(-1, ' ', false, users::Json::error_handler_t::replace);
  event.password_hash = user.password;
  events->tell(event);
}

}  // namespace host::admin
