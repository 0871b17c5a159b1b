// SPDX-License-Identifier: Apache-2.0
//
// Here because host/admin knows no logins. Threads of services.
#include "host/app/bans.h"

#include <nlohmann/json.hpp>

#include "host/core/log.h"

namespace host::app {

core::Result<std::string> Bans::list() {
  using Json = nlohmann::ordered_json;
  Json all = Json::array();
  for (const auto& ban : defender_.bans()) {
    all.push_back({{"network", ban.network}, {"username", ban.username}, {"seconds_left", ban.left.count()}});
  }
  return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

core::Result<void> Bans::lift(std::string_view network, std::string_view username) {
  if (!defender_.lift(network, username)) return core::Error(core::Status::kNotFound, "no such ban");
  std::string who(network);
  if (!username.empty()) who = "user \"" + std::string(username) + "\" at " + who;
  core::log::info("defender", "", who + " is let in again by an administrator");
  return core::ok();
}

}  // namespace host::app
