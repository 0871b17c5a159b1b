// SPDX-License-Identifier: Apache-2.0
//
// The one way by which accounts leave for the REST API, the command line and notifiers. Any thread.
#include "host/users/public_json.h"

#include "host/users/filesystem_json.h"

namespace host::users {

Json public_json(const User& user, plugin::Registry& registry) {
  Json json = to_json(user, Secrets::kBlank);
  if (user.filesystem.settings_json == "{}") return json;
  auto blanked = registry.blank_user_secrets(user.filesystem.backend, user.filesystem.settings_json);
  if (!blanked) return json;
  Filesystem shown{user.filesystem.backend, std::move(*blanked)};
  drop_empty_settings(shown);
  json["filesystem"] = filesystem_to_json(shown, Secrets::kKeep);
  return json;
}

}  // namespace host::users
