// SPDX-License-Identifier: Apache-2.0
//
// The users collection: its columns, once, and users to and from records. A database of the replaced system opens
// unchanged because names, types and the form of the JSON columns are its own. Pure functions, any thread.
#include "host/users/record.h"

#include <algorithm>

#include "host/core/log.h"
#include "host/users/filesystem_json.h"
#include "host/users/user_fields.h"
#include "host/users/validate.h"

namespace host::users {
namespace {

constexpr int kSchemaVersion = 2;

struct ColumnDeclaration {
  const char* name;
  const char* type;
  const char* options;  // further members of the declaration, as JSON
};

constexpr char kSmall[] = R"({"bits": 32})";
constexpr char kPlain[] = "{}";
constexpr ColumnDeclaration kColumns[] = {
    {"id", "int64", R"({"bits": 32, "auto": true})"},
    {"username", "text", R"({"size": 255, "unique": true})"},
    {"password", "text", R"({"size": 255, "nullable": true})"},
    {"public_keys", "json", R"({"nullable": true})"},
    {"home_dir", "text", R"({"size": 255})"},
    {"uid", "int64", kSmall},
    {"gid", "int64", kSmall},
    {"max_sessions", "int64", kSmall},
    {"quota_size", "int64", kPlain},
    {"quota_files", "int64", kSmall},
    {"permissions", "json", kPlain},
    {"used_quota_size", "int64", R"({"counter": true, "default": 0})"},
    {"used_quota_files", "int64", R"({"bits": 32, "counter": true, "default": 0})"},
    {"last_quota_update", "int64", R"({"default": 0})"},
    {"upload_bandwidth", "int64", kSmall},
    {"download_bandwidth", "int64", kSmall},
    {"expiration_date", "int64", R"({"default": 0})"},
    {"last_login", "int64", R"({"default": 0})"},
    {"status", "int64", kSmall},
    {"filters", "json", R"({"nullable": true})"},
    {"filesystem", "json", R"({"nullable": true})"},
    {"virtual_folders", "json", R"({"nullable": true, "since": 2})"},
};

// Columns that only the host itself moves on.
constexpr std::string_view kRunning[] = {
    "id", "username", "used_quota_size", "used_quota_files", "last_quota_update", "last_login"};

// Without these a user can do less. Without filters or the filesystem it would be more, or something else.
bool is_optional(std::string_view field) { return field == "public_keys" || field == "virtual_folders"; }

// An empty text in these columns is how other programs write "none".
bool is_blank(std::string_view field, const Json& value) {
  return (is_optional(field) || field == "filters" || field == "filesystem") && value.is_string() &&
         value.get_ref<const std::string&>().empty();
}

}  // namespace

std::string collections_json(std::string_view users_table) {
  Json columns = Json::array();
  for (const auto& column : kColumns) {
    Json json = {{"name", column.name}, {"type", column.type}};
    json.update(Json::parse(column.options));
    columns.push_back(std::move(json));
  }
  const Json users = {
      {"name", kUsersCollection}, {"table", users_table}, {"key", "username"}, {"columns", std::move(columns)}};
  return Json{{"version", kSchemaVersion}, {"collections", Json::array({users})}}.dump();
}

Json to_record(const User& user, RecordKind kind) {
  Json record = to_json(user, Secrets::kKeep);
  record["password"] = user.password;
  record["public_keys"] = user.public_keys;
  record["virtual_folders"] = virtual_folders_to_json(user);
  record.erase("id");
  if (kind == RecordKind::kChange) {
    for (const auto name : kRunning) record.erase(std::string(name));
  }
  return record;
}

core::Result<User> from_record(std::string_view record_json) {
  Json record = Json::parse(record_json, nullptr, false);
  if (!record.is_object()) return core::Error(core::Status::kIo, "the provider delivered no record");
  // Before 0.9.4 permissions were one list, for the root.
  if (const auto it = record.find("permissions"); it != record.end() && it->is_array()) *it = Json{{"/", Json(*it)}};
  User user;
  const std::string name = record.value("username", Json("")).is_string() ? record.value("username", "") : "";
  for (const auto& field : user_fields()) {
    const auto it = record.find(field.name);
    if (it == record.end() || it->is_null()) continue;
    auto done = field.read(user, *it, field.name);
    if (done) continue;
    const std::string problem = "user " + Json(name).dump() + ": stored field " + field.name +
                                " cannot be read: " + done.error().text.substr(kValidationPrefix.size());
    if (is_blank(field.name, *it)) continue;
    if (!is_optional(field.name)) return core::Error(core::Status::kIo, problem);
    core::log::warn("dataProvider", "", problem + "; treated as empty");
  }
  drop_empty_settings(user.filesystem);
  return user;
}

}  // namespace host::users
