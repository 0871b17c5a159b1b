// SPDX-License-Identifier: Apache-2.0
//
// User to JSON and back, one table row per field, in the order in which the replaced system emits them. Only types are
// checked here; what values are allowed is validate.cpp's. Pure functions, any thread.
#include "host/users/user_json.h"

#include "host/users/filesystem_json.h"
#include "host/users/permission_names.h"
#include "host/users/user_fields.h"
#include "host/users/validate.h"

namespace host::users {
namespace {

constexpr std::size_t kMaxPermissionsPerDir = 12;

core::Error wrong_type(std::string_view name, std::string_view wanted) {
  return invalid("field \"" + std::string(name) + "\" must be " + std::string(wanted));
}

template <auto Member>
core::Result<void> read_int(User& user, const Json& value, std::string_view name) {
  using Int = std::remove_reference_t<decltype(user.*Member)>;
  const bool fits = value.is_number_integer() && (!value.is_number_unsigned() ||
                                                  value.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX));
  const auto number = fits ? value.get<std::int64_t>() : 0;
  if (!fits || static_cast<Int>(number) != number) return wrong_type(name, "an integer in range");
  user.*Member = static_cast<Int>(number);
  return core::ok();
}

core::Result<void> read_text_into(std::string& out, const Json& value, std::string_view name) {
  if (!value.is_string()) return wrong_type(name, "a text");
  out = value.get<std::string>();
  return core::ok();
}

template <auto Member>
core::Result<void> read_text(User& user, const Json& value, std::string_view name) {
  return read_text_into(user.*Member, value, name);
}

core::Result<void> read_list(std::vector<std::string>& out, const Json& value, std::string_view name) {
  if (!value.is_array()) return wrong_type(name, "a list of texts");
  std::vector<std::string> list;
  for (const auto& entry : value) {
    if (!entry.is_string()) return wrong_type(name, "a list of texts");
    list.push_back(entry.get<std::string>());
  }
  out = std::move(list);
  return core::ok();
}

core::Result<void> read_keys(User& user, const Json& value, std::string_view name) {
  return read_list(user.public_keys, value, name);
}

core::Result<void> read_folders(User& user, const Json& value, std::string_view name) {
  if (!value.is_array()) return wrong_type(name, "a list of objects");
  std::vector<VirtualFolder> folders;
  for (const auto& entry : value) {
    if (!entry.is_object()) return wrong_type(name, "a list of objects");
    VirtualFolder folder;
    if (auto done = read_text_into(folder.virtual_path, entry.value("virtual_path", Json("")), "virtual_path"); !done)
      return done;
    if (auto done = read_text_into(folder.mapped_path, entry.value("mapped_path", Json("")), "mapped_path"); !done)
      return done;
    folders.push_back(std::move(folder));
  }
  user.virtual_folders = std::move(folders);
  return core::ok();
}

core::Result<std::uint32_t> read_rights(const Json& names) {
  if (!names.is_array()) return wrong_type("permissions", "an object of lists");
  if (names.size() > kMaxPermissionsPerDir) return invalid("invalid permissions");
  std::uint32_t bits = 0;
  for (const auto& name : names) {
    const auto bit = name.is_string() ? permission_bits(name.get_ref<const std::string&>()) : std::nullopt;
    if (!bit) return invalid("invalid permission: " + name.dump());
    bits |= *bit;
  }
  return bits;
}

core::Result<void> read_permissions(User& user, const Json& value, std::string_view name) {
  if (!value.is_object()) return wrong_type(name, "an object of lists");
  std::map<core::VirtualPath, std::uint32_t> permissions;
  for (const auto& [dir, names] : value.items()) {
    const auto path = core::VirtualPath::clean(dir);
    if (dir.empty() || dir.front() != '/' || core::VirtualPath::has_nul(dir)) {
      return invalid("permissions need an absolute path, actual value: " + Json(dir).dump());
    }
    if (path.is_root() && dir != "/")
      return invalid("permissions for " + Json(dir).dump() + ": write the root dir as \"/\"");
    auto bits = read_rights(names);
    if (!bits) return bits.error();
    permissions[path] = *bits;
  }
  if (!permissions.empty()) user.permissions = std::move(permissions);
  return core::ok();
}

core::Result<void> read_extensions(std::vector<ExtensionFilter>& out, const Json& value, std::string_view name) {
  if (!value.is_array()) return wrong_type(name, "a list of objects");
  std::vector<ExtensionFilter> list;
  for (const auto& entry : value) {
    if (!entry.is_object()) return wrong_type(name, "a list of objects");
    ExtensionFilter filter;
    const auto member = [&](const char* which) {
      return entry.contains(which) && !entry.at(which).is_null() ? entry.at(which) : Json::array();
    };
    if (auto done = read_text_into(filter.path, entry.value("path", Json("")), "file_extensions.path"); !done)
      return done;
    if (auto done = read_list(filter.allowed_extensions, member("allowed_extensions"), "allowed_extensions"); !done)
      return done;
    if (auto done = read_list(filter.denied_extensions, member("denied_extensions"), "denied_extensions"); !done)
      return done;
    list.push_back(std::move(filter));
  }
  out = std::move(list);
  return core::ok();
}

core::Result<void> read_filters(User& user, const Json& value, std::string_view field) {
  if (!value.is_object()) return wrong_type(field, "an object");
  Filters filters = user.filters;
  for (const auto& [name, list] : value.items()) {
    if (list.is_null()) continue;
    core::Result<void> done = core::ok();
    if (name == "allowed_ip") done = read_list(filters.allowed_ip, list, name);
    if (name == "denied_ip") done = read_list(filters.denied_ip, list, name);
    if (name == "denied_login_methods") done = read_list(filters.denied_login_methods, list, name);
    if (name == "file_extensions") done = read_extensions(filters.file_extensions, list, name);
    if (!done) return done;
  }
  user.filters = std::move(filters);
  return core::ok();
}

core::Result<void> read_filesystem(User& user, const Json& value, std::string_view) {
  Filesystem filesystem = user.filesystem;
  auto done = merge_filesystem(filesystem, value);
  if (done) user.filesystem = std::move(filesystem);
  return done;
}

Json permissions_to_json(const User& user) {
  Json out = Json::object();
  for (const auto& [dir, bits] : user.permissions) out[dir.str()] = permission_names(bits);
  return out;
}

Json filters_to_json(const Filters& filters) {
  Json out = Json::object();
  if (!filters.allowed_ip.empty()) out["allowed_ip"] = filters.allowed_ip;
  if (!filters.denied_ip.empty()) out["denied_ip"] = filters.denied_ip;
  if (!filters.denied_login_methods.empty()) out["denied_login_methods"] = filters.denied_login_methods;
  for (const auto& filter : filters.file_extensions) {
    Json entry = {{"path", filter.path}};
    if (!filter.allowed_extensions.empty()) entry["allowed_extensions"] = filter.allowed_extensions;
    if (!filter.denied_extensions.empty()) entry["denied_extensions"] = filter.denied_extensions;
    out["file_extensions"].push_back(std::move(entry));
  }
  return out;
}

constexpr UserField kFields[] = {
    {"id", read_int<&User::id>},
    {"status", read_int<&User::status>},
    {"username", read_text<&User::username>},
    {"expiration_date", read_int<&User::expiration_date>},
    {"password", read_text<&User::password>},
    {"public_keys", read_keys},
    {"home_dir", read_text<&User::home_dir>},
    {"virtual_folders", read_folders},
    {"uid", read_int<&User::uid>},
    {"gid", read_int<&User::gid>},
    {"max_sessions", read_int<&User::max_sessions>},
    {"quota_size", read_int<&User::quota_size>},
    {"quota_files", read_int<&User::quota_files>},
    {"permissions", read_permissions},
    {"used_quota_size", read_int<&User::used_quota_size>},
    {"used_quota_files", read_int<&User::used_quota_files>},
    {"last_quota_update", read_int<&User::last_quota_update>},
    {"upload_bandwidth", read_int<&User::upload_bandwidth>},
    {"download_bandwidth", read_int<&User::download_bandwidth>},
    {"last_login", read_int<&User::last_login>},
    {"filters", read_filters},
    {"filesystem", read_filesystem},
};

}  // namespace

std::span<const UserField> user_fields() { return kFields; }

Json virtual_folders_to_json(const User& user) {
  Json out = Json::array();
  for (const auto& folder : user.virtual_folders) {
    out.push_back({{"virtual_path", folder.virtual_path}, {"mapped_path", folder.mapped_path}});
  }
  return out;
}

Json to_json(const User& user, Secrets secrets) {
  Json out = Json::object();
  out["id"] = user.id;
  out["status"] = user.status;
  out["username"] = user.username;
  out["expiration_date"] = user.expiration_date;
  if (secrets == Secrets::kKeep && !user.password.empty()) out["password"] = user.password;
  if (!user.public_keys.empty()) out["public_keys"] = user.public_keys;
  out["home_dir"] = user.home_dir;
  if (!user.virtual_folders.empty()) out["virtual_folders"] = virtual_folders_to_json(user);
  out["uid"] = user.uid;
  out["gid"] = user.gid;
  out["max_sessions"] = user.max_sessions;
  out["quota_size"] = user.quota_size;
  out["quota_files"] = user.quota_files;
  out["permissions"] = permissions_to_json(user);
  out["used_quota_size"] = user.used_quota_size;
  out["used_quota_files"] = user.used_quota_files;
  out["last_quota_update"] = user.last_quota_update;
  out["upload_bandwidth"] = user.upload_bandwidth;
  out["download_bandwidth"] = user.download_bandwidth;
  out["last_login"] = user.last_login;
  out["filters"] = filters_to_json(user.filters);
  out["filesystem"] = filesystem_to_json(user.filesystem, secrets);
  return out;
}

core::Result<void> merge_json(User& user, const Json& json) {
  if (!json.is_object()) return invalid("the user is not a JSON object");
  User merged = user;
  for (const auto& field : kFields) {
    const auto it = json.find(field.name);
    if (it == json.end() || it->is_null()) continue;
    if (auto done = field.read(merged, *it, field.name); !done) return done;
  }
  user = std::move(merged);
  return core::ok();
}

}  // namespace host::users
