// SPDX-License-Identifier: Apache-2.0
//
// Queries and changes of accounts in JSON. Threads of services. Validation is the store's; nothing is kept here.
#include "host/admin/host_users.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/admin/user_events.h"
#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/users/bounded_json.h"
#include "host/users/public_json.h"

namespace host::admin {
namespace {

using core::Error;
using core::Result;
using core::Status;
using users::Json;
using users::User;

Result<Json> parse_object(std::string_view text) {
  Json json = users::parse_bounded(text);
  if (json.is_object()) return Result<Json>(boost::system::in_place_value, std::move(json));
  return Error(Status::kInvalid,
               json.is_discarded() ? "the body is not JSON, or nests too deep" : "the body is not a JSON object");
}

// Names in old databases may hold any bytes.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// What is for the operator and no client to mend: an answer has room for its beginning only.
Error told(const Error& error) {
  switch (error.status) {
    case Status::kInvalid:
    case Status::kDenied:
    case Status::kNotFound:
    case Status::kExists:
    case Status::kConflict:
    case Status::kBusy: break;
    default: core::log::error("httpd", "", error.message());
  }
  return error;
}

Error unknown_id(std::int64_t id) {
  return {Status::kNotFound, "Not found: user with ID " + std::to_string(id) + " does not exist"};
}

}  // namespace

Result<User> HostUsers::find(std::int64_t id) {
  auto user = store_.find_id(id);
  if (!user && user.error().status == Status::kNotFound) return unknown_id(id);
  return user;
}

Result<std::string> HostUsers::list(std::string_view query_json) {
  const auto query = parse_object(query_json);
  if (!query) return query.error();
  quotas_.flush();
  Json all = Json::array();
  const auto name = users::text_member(*query, "username"), order = users::text_member(*query, "order", "ASC");
  const auto wanted = users::number_member(*query, "limit"), offset = users::number_member(*query, "offset");
  if (!name || !order || (*order != "ASC" && *order != "DESC") || !wanted || !offset || *offset < 0) {
    return Error(Status::kInvalid, "the query is not one for accounts");
  }
  const auto limit = std::min(*wanted, std::int64_t{core::limits::kUsersPerPage});
  if (limit <= 0) return text_of(all);
  if (!name->empty()) {
    if (*offset > 0) return text_of(all);
    auto user = store_.find(*name);
    if (!user && user.error().status != Status::kNotFound) return user.error();
    if (user) all.push_back(users::public_json(*user, registry_));
    return text_of(all);
  }
  auto page = store_.list(static_cast<std::size_t>(limit), static_cast<std::size_t>(*offset), *order == "DESC");
  if (!page) return page.error();
  for (const auto& user : *page) all.push_back(users::public_json(user, registry_));
  return text_of(all);
}

Result<std::string> HostUsers::get(std::int64_t id) {
  quotas_.flush();
  auto user = find(id);
  if (!user) return user.error();
  return text_of(users::public_json(*user, registry_));
}

Result<std::string> HostUsers::add(std::string_view user_json) {
  const auto json = parse_object(user_json);
  if (!json) return json.error();
  User user;
  if (auto merged = users::merge_json(user, *json); !merged) return merged.error();
  users::warn_of_unknown_members("httpd", user.username, *json);
  auto added = store_.add(std::move(user));
  if (added) {
    tell(events_, events::Kind::kUserAdd, *added, registry_);
    return text_of(users::public_json(*added, registry_));
  }
  return told(added.error());
}

Result<void> HostUsers::update(std::int64_t id, std::string_view changes_json) {
  const std::lock_guard lock(changes_);
  auto user = find(id);
  if (!user) return user.error();
  const auto changes = parse_object(changes_json);
  if (!changes) return changes.error();
  User changed = *user;
  if (auto merged = users::merge_json(changed, *changes); !merged) return merged.error();
  if (changed.id != id) {
    return Error(Status::kInvalid, "user ID in request body does not match user ID in path parameter");
  }
  users::warn_of_unknown_members("httpd", user->username, *changes);
  changed.username = user->username;  // a name is for life: clients of the replaced system may send another one
  auto updated = store_.update(changed);
  if (!updated) return told(updated.error());
  tell(events_, events::Kind::kUserUpdate, *updated, registry_);
  return core::ok();
}

Result<void> HostUsers::remove(std::int64_t id) {
  const std::lock_guard lock(changes_);
  const auto user = find(id);
  if (!user) return user.error();
  auto removed = store_.remove(user->username);
  if (!removed) return told(removed.error());
  tell(events_, events::Kind::kUserDelete, *user, registry_);
  return removed;
}

}  // namespace host::admin
