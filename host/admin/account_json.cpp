// SPDX-License-Identifier: Apache-2.0
//
// Changes that somebody asked for; counters, logins and what authenticators store tell nobody. Threads of services.
#include "host/admin/account_json.h"

#include "host/users/user_json.h"

namespace host::admin {

nlohmann::ordered_json without_secrets(users::User user, plugin::Registry& registry) {
  if (user.filesystem.settings_json != "{}") {
    auto blanked = registry.blank_user_secrets(user.filesystem.backend, user.filesystem.settings_json);
    if (blanked) user.filesystem.settings_json = std::move(*blanked);
  }
  return users::to_json(user, users::Secrets::kBlank);
}

void tell(events::Events* events, events::Kind kind, const users::User& user, plugin::Registry& registry) {
  if (events == nullptr || !events->wants(kind)) return;
  events::UserEvent event;
  event.kind = kind;
  event.username = user.username;
  event.user_json =
      without_secrets(user, registry).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  event.password_hash = user.password;
  events->tell(event);
}

}  // namespace host::admin
