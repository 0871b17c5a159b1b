// SPDX-License-Identifier: Apache-2.0
//
// What there is to tell, and its form for plugins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace host::events {

// In the order of their table in event.cpp.
enum class Kind : std::uint8_t {
  kUpload,
  kDownload,
  kDelete,
  kRename,
  kSshCommand,
  kUploadFailed,
  kDownloadFailed,
  kPreUpload,
  kPreDownload,
  kPreDelete,
  kUserAdd,
  kUserUpdate,
  kUserDelete,
  kCount
};
std::string_view kind_name(Kind kind);  // "upload", "pre-upload", "user-add"

struct FileEvent {
  Kind kind = Kind::kUpload;
  std::string_view username;
  std::string path, target_path;  // as the operator knows them
  std::string virtual_path;
  std::string ssh_command;  // its name
  std::optional<std::uint64_t> file_size;
  bool local_file = true;
  std::string_view connection_id, protocol;
};

struct UserEvent {
  Kind kind = Kind::kUserAdd;
  std::string username;
  std::string user_json;      // without secrets
  std::string password_hash;  // may be empty
};

std::string to_json(const FileEvent& event);
std::string to_json(const UserEvent& event);

}  // namespace host::events
