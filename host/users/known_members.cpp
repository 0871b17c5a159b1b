// SPDX-License-Identifier: Apache-2.0
//
// Names only: a mistyped filter must not make an account without it. Pure functions, any thread; what values are
// allowed is asked elsewhere.
#include <algorithm>
#include <initializer_list>

#include "host/core/log.h"
#include "host/users/user_fields.h"
#include "host/users/user_json.h"
#include "host/users/validate.h"

namespace host::users {
namespace {

using Names = std::vector<std::string_view>;

core::Result<void> check_object(const Json& object, const std::string& prefix, const Names& allowed) {
  if (!object.is_object()) return core::ok();
  for (const auto& [name, value] : object.items()) {
    if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) continue;
    std::string list;
    for (const auto one : allowed) list += (list.empty() ? "" : ", ") + std::string(one);
    return invalid("unknown member " + Json(prefix + name).dump(-1, ' ', false, Json::error_handler_t::replace) +
                   ", known here are " + list);
  }
  return core::ok();
}

core::Result<void> check_each(const Json& list, const std::string& prefix, const Names& allowed) {
  if (!list.is_array()) return core::ok();
  for (const auto& entry : list) {
    if (auto done = check_object(entry, prefix, allowed); !done) return done;
  }
  return core::ok();
}

const Json& member(const Json& object, const char* name) {
  static const Json nothing;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found == object.end() ? nothing : *found;
}

}  // namespace

core::Result<void> check_members(const Json& json) {
  Names fields;
  for (const auto& field : user_fields()) fields.emplace_back(field.name);
  const Json& filters = member(json, "filters");
  if (auto done = check_object(json, "", fields); !done) return done;
  if (auto done = check_each(member(json, "virtual_folders"), "virtual_folders.", {"virtual_path", "mapped_path"});
      !done) {
    return done;
  }
  if (auto done =
          check_object(filters, "filters.", {"allowed_ip", "denied_ip", "denied_login_methods", "file_extensions"});
      !done) {
    return done;
  }
  if (auto done = check_each(member(filters, "file_extensions"), "filters.file_extensions.",
                             {"path", "allowed_extensions", "denied_extensions"});
      !done) {
    return done;
  }
  return check_object(member(json, "filesystem"), "filesystem.", {"provider", "s3config", "gcsconfig", "config"});
}

void warn_of_unknown_members(std::string_view sender, const std::string& username, const Json& json) {
  if (const auto known = check_members(json); !known) {
    core::log::warn(sender, "", "user \"" + username + "\": ignored: " + known.error().message());
  }
}

}  // namespace host::users
