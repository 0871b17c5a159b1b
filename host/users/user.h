// SPDX-License-Identifier: Apache-2.0
//
// One account, with every field of the replaced system. JSON form: user_json.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/core/vpath.h"

namespace host::users {

// Rights in one directory, as bits.
enum Permission : std::uint32_t {
  kList = 1,
  kDownload = 2,
  kUpload = 4,
  kOverwrite = 8,
  kRename = 16,
  kDelete = 32,
  kCreateDirs = 64,
  kCreateSymlinks = 128,
  kChmod = 256,
  kChown = 512,
  kChtimes = 1024,
  kAll = 2047,
};

// Accounts map to system owners from 1 to this; any other uid or gid leaves the owner to the storage.
inline constexpr std::int64_t kMaxMappedId = 65535;

struct VirtualFolder {
  std::string virtual_path, mapped_path;
};

struct ExtensionFilter {
  std::string path;
  std::vector<std::string> allowed_extensions, denied_extensions;
};

struct Filters {
  std::vector<std::string> allowed_ip, denied_ip, denied_login_methods;
  std::vector<ExtensionFilter> file_extensions;
};

// Where the files are. `backend` is the storage plugin's name; `settings_json` its checked settings for this user.
struct Filesystem {
  std::string backend = "fs-local";
  std::string settings_json = "{}";
};

// What an account has stored, or a change of it.
struct Usage {
  std::int64_t size = 0, files = 0;
  friend bool operator==(const Usage&, const Usage&) = default;
};

struct User {
  std::int64_t id = 0;
  int status = 0;  // 1 active
  std::string username;
  std::int64_t expiration_date = 0;      // ms since 1970, 0 never
  std::string password;                  // a hash, or plain until stored
  std::vector<std::string> public_keys;  // authorized_keys lines
  std::string home_dir;
  std::vector<VirtualFolder> virtual_folders;
  std::int64_t uid = 0, gid = 0;
  std::int64_t max_sessions = 0;
  std::int64_t quota_size = 0, quota_files = 0;
  std::map<core::VirtualPath, std::uint32_t> permissions;  // Permission bits
  std::int64_t used_quota_size = 0, used_quota_files = 0, last_quota_update = 0;
  std::int64_t upload_bandwidth = 0, download_bandwidth = 0;  // KB/s
  std::int64_t last_login = 0;                                // ms since 1970
  Filters filters;
  Filesystem filesystem;

  // Rights that hold in `dir`: those of its nearest ancestor-or-self that has an entry.
  std::uint32_t permissions_in(const core::VirtualPath& dir) const;
};

}  // namespace host::users
