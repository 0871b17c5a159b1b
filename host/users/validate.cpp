// SPDX-License-Identifier: Apache-2.0
//
// The rules for accounts, in the replaced system's order and with its texts where scripts can see them. Pure functions,
// any thread; nothing here looks at a disk.
#include "host/users/validate.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <set>
#include <utility>

#include "host/users/cidr.h"
#include "host/users/public_key.h"
#include "host/users/user_json.h"

namespace host::users {
namespace {

constexpr std::size_t kMaxDeniedMethods = 2;  // three would lock the account out
constexpr std::size_t kMaxBackendNameBytes = 64;

std::string shown(std::string_view text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// A path of the server's own file system in one form: no ".", "..", doubled or trailing separators.
std::string clean_local(const std::string& text) {
  auto path = std::filesystem::path(text).lexically_normal().generic_string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool is_absolute(const std::string& text) { return std::filesystem::path(text).is_absolute(); }

bool is_same_or_below(const std::string& path, const std::string& ancestor) {
  if (ancestor == "/") return true;
  return path.starts_with(ancestor) && (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

bool overlap(const std::string& a, const std::string& b) { return is_same_or_below(a, b) || is_same_or_below(b, a); }

core::Result<void> default_home(User& user, std::string_view users_base_dir) {
  if (!user.home_dir.empty() || users_base_dir.empty() || user.username.empty()) return core::ok();
  if (user.username.find('/') != std::string::npos || user.username == "." || user.username == "..") {
    return invalid("home_dir is needed: the username is no directory name below users_base_dir");
  }
  user.home_dir = (std::filesystem::path(users_base_dir) / user.username).string();
  return core::ok();
}

core::Result<void> check_base(const User& user) {
  if (user.username.empty()) return invalid("mandatory parameters missing: username");
  if (user.home_dir.empty()) return invalid("mandatory parameters missing: home_dir");
  if (has_nul(user.username) || has_nul(user.home_dir))
    return invalid("username and home_dir must not contain a NUL character");
  if (user.password.empty() && user.public_keys.empty())
    return invalid("please set a password or at least a public_key");
  if (!is_absolute(user.home_dir)) return invalid("home_dir must be an absolute path, actual value: " + user.home_dir);
  return core::ok();
}

core::Result<void> check_permissions(const User& user) {
  if (user.permissions.empty()) return invalid("please grant some permissions to this user");
  const auto root = user.permissions.find(core::VirtualPath());
  if (root == user.permissions.end()) return invalid("permissions for the root dir \"/\" must be set");
  if (root->second == 0) return invalid("no permissions granted for the directory: \"/\"");
  return core::ok();
}

core::Result<void> check_filesystem(const Filesystem& filesystem) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  const auto& name = filesystem.backend;
  if (name.empty() || name.size() > kMaxBackendNameBytes || !std::all_of(name.begin(), name.end(), allowed)) {
    return invalid("invalid filesystem provider: " + shown(name));
  }
  if (!Json::parse(filesystem.settings_json, nullptr, false).is_object())
    return invalid("the filesystem settings are no JSON object");
  return core::ok();
}

core::Result<void> check_folder(VirtualFolder& folder, const std::string& home) {
  const auto& given = folder.virtual_path;
  if (given.empty() || given.front() != '/' || has_nul(given))
    return invalid("invalid virtual folder: path " + shown(given) + " is not absolute");
  folder.virtual_path = core::VirtualPath::clean(given).str();
  if (folder.virtual_path == "/") return invalid("invalid virtual folder: the path must not be \"/\"");
  if (!is_absolute(folder.mapped_path) || has_nul(folder.mapped_path)) {
    return invalid("invalid mapped folder: path " + shown(folder.mapped_path) + " is not absolute");
  }
  folder.mapped_path = clean_local(folder.mapped_path);
  if (overlap(folder.mapped_path, home)) {
    return invalid("invalid mapped folder " + shown(folder.mapped_path) +
                   ": it must be neither inside nor around the home directory");
  }
  return core::ok();
}

core::Result<void> check_folders(User& user) {
  if (user.filesystem.backend != "fs-local") user.virtual_folders.clear();
  const auto home = clean_local(user.home_dir);
  for (auto& folder : user.virtual_folders) {
    if (auto done = check_folder(folder, home); !done) return done;
  }
  for (auto a = user.virtual_folders.begin(); a != user.virtual_folders.end(); ++a) {
    for (auto b = std::next(a); b != user.virtual_folders.end(); ++b) {
      if (overlap(a->mapped_path, b->mapped_path)) {
        return invalid("invalid mapped folder: " + shown(a->mapped_path) + " overlaps with " + shown(b->mapped_path));
      }
      if (overlap(a->virtual_path, b->virtual_path)) {
        return invalid("invalid virtual folder: " + shown(a->virtual_path) + " overlaps with " +
                       shown(b->virtual_path));
      }
    }
  }
  return core::ok();
}

core::Result<void> check_keys(const User& user) {
  for (std::size_t i = 0; i < user.public_keys.size(); ++i) {
    if (auto key = parse_public_key(user.public_keys[i]); !key) {
      return invalid("could not parse key nr. " + std::to_string(i) + ": " + key.error().text +
                     (i == 0 ? " (the first key is nr. 0)" : ""));
    }
  }
  return core::ok();
}

core::Result<void> check_blocks(const std::vector<std::string>& blocks) {
  for (const auto& block : blocks) {
    if (!parse_cidr(block))
      return invalid("could not parse the IP/Mask " + shown(block) +
                     ": CIDR notation is needed, for example 192.0.2.0/24");
  }
  return core::ok();
}

core::Result<void> check_extensions(std::vector<ExtensionFilter>& filters) {
  std::set<std::string> seen;
  for (auto& filter : filters) {
    if (filter.path.empty() || filter.path.front() != '/' || has_nul(filter.path)) {
      return invalid("invalid file_extensions path " + shown(filter.path) + ": it must be absolute");
    }
    filter.path = core::VirtualPath::clean(filter.path).str();
    if (!seen.insert(filter.path).second) return invalid("duplicate file_extensions path " + shown(filter.path));
    if (filter.allowed_extensions.empty() && filter.denied_extensions.empty()) {
      return invalid("file_extensions for " + shown(filter.path) + " allow and deny nothing");
    }
  }
  return core::ok();
}

core::Result<void> check_filters(Filters& filters) {
  if (auto done = check_blocks(filters.denied_ip); !done) return done;
  if (auto done = check_blocks(filters.allowed_ip); !done) return done;
  if (filters.denied_login_methods.size() > kMaxDeniedMethods) return invalid("invalid denied_login_methods");
  for (const auto& method : filters.denied_login_methods) {
    if (method != "publickey" && method != "password" && method != "keyboard-interactive") {
      return invalid("invalid login method: " + shown(method));
    }
  }
  return check_extensions(filters.file_extensions);
}

}  // namespace

core::Error invalid(std::string_view text) {
  return {core::Status::kInvalid, std::string(kValidationPrefix) + std::string(text)};
}

std::vector<std::string> oddities(const User& user) {
  std::vector<std::string> found;
  const auto note = [&](const char* name, std::int64_t value, const std::string& why) {
    found.push_back(std::string(name) + " " + std::to_string(value) + " is " + why);
  };
  using Numbers = std::initializer_list<std::pair<const char*, std::int64_t>>;
  for (const auto& [name, id] : Numbers{{"uid", user.uid}, {"gid", user.gid}}) {
    if (id <= kMaxMappedId) continue;
    note(name, id, "above " + std::to_string(kMaxMappedId) + ": it has no effect, new files keep the server's owner");
  }
  for (const auto& [name, limit] : Numbers{{"max_sessions", user.max_sessions},
                                           {"quota_size", user.quota_size},
                                           {"quota_files", user.quota_files},
                                           {"upload_bandwidth", user.upload_bandwidth},
                                           {"download_bandwidth", user.download_bandwidth}}) {
    if (limit < 0) note(name, limit, "negative: it limits nothing, as 0 does");
  }
  if (user.expiration_date < 0) {
    note("expiration_date", user.expiration_date, "negative: the account never expires, as with 0");
  }
  return found;
}

core::Result<void> validate(User& user, std::string_view users_base_dir) {
  if (auto done = default_home(user, users_base_dir); !done) return done;
  if (auto done = check_base(user); !done) return done;
  if (auto done = check_permissions(user); !done) return done;
  if (auto done = check_filesystem(user.filesystem); !done) return done;
  if (auto done = check_folders(user); !done) return done;
  if (user.status != 0 && user.status != 1) return invalid("invalid user status: " + std::to_string(user.status));
  if (auto done = check_keys(user); !done) return done;
  return check_filters(user.filters);
}

}  // namespace host::users
