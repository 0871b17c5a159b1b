// SPDX-License-Identifier: Apache-2.0
//
// Names and order are an interface: every argument and variable is there for every event, empty when it does not apply;
// a query has only what applies. A size of 0 does not.
#include "call.h"

#include <array>
#include <nlohmann/json.hpp>

namespace actions {
namespace {

using Json = nlohmann::ordered_json;
using sallyport::Failure;
using sallyport::Outcome;

constexpr std::string_view kUserPrefix = "user-";

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

// Names of files may hold any bytes; JSON may not.
std::string path_of(const Json& json, const std::string& name) {
  const auto bytes = json.find(name + "_bytes");
  if (bytes == json.end() || !bytes->is_array()) return text_of(json, name.c_str());
  std::string path;
  for (const auto& byte : *bytes) {
    if (byte.is_number_unsigned()) path += static_cast<char>(byte.get<std::uint8_t>());
  }
  return path;
}

Failure unreadable() { return {SP_E_INVALID, "the event cannot be read", 0}; }

}  // namespace

Outcome<Call> file_call(std::string_view event_json) {
  const Json event = Json::parse(event_json, nullptr, false);
  if (!event.is_object()) return unreadable();
  const auto action = text_of(event, "kind");
  const auto username = text_of(event, "username");
  const auto path = path_of(event, "path");
  const auto target = path_of(event, "target_path");
  const auto command = text_of(event, "ssh_command");
  const auto size = event.value("file_size", std::uint64_t{0}) == 0 ? std::string() : text_of(event, "file_size");
  const std::string local = event.value("local_file", true) ? "true" : "false";
  Call call;
  call.arguments = {action, username, path, target, command};
  call.variables = {{"SFTPGO_ACTION", action},          {"SFTPGO_ACTION_USERNAME", username},
                    {"SFTPGO_ACTION_PATH", path},       {"SFTPGO_ACTION_TARGET", target},
                    {"SFTPGO_ACTION_SSH_CMD", command}, {"SFTPGO_ACTION_FILE_SIZE", size},
                    {"SFTPGO_ACTION_LOCAL_FILE", local}};
  call.query = {{"action", action}, {"username", username}, {"path", path}, {"local_file", local}};
  if (!target.empty()) call.query.emplace_back("target_path", target);
  if (!command.empty()) call.query.emplace_back("ssh_cmd", command);
  if (!size.empty()) call.query.emplace_back("file_size", size);
  return call;
}

Outcome<Call> user_call(std::string_view event_json) {
  const Json event = Json::parse(event_json, nullptr, false);
  if (!event.is_object() || !event.contains("user") || !event.at("user").is_object()) return unreadable();
  const Json& user = event.at("user");
  auto action = text_of(event, "kind");
  if (action.starts_with(kUserPrefix)) action.erase(0, kUserPrefix.size());
  Call call;
  call.arguments = {action};
  for (const auto* name : {"username", "id", "status", "expiration_date", "home_dir", "uid", "gid"})
    call.arguments.push_back(text_of(user, name));
  constexpr std::array<std::pair<const char*, const char*>, 12> kVariables = {{
      {"SFTPGO_USER_USERNAME", "username"},
      {"SFTPGO_USER_ID", "id"},
      {"SFTPGO_USER_STATUS", "status"},
      {"SFTPGO_USER_EXPIRATION_DATE", "expiration_date"},
      {"SFTPGO_USER_HOME_DIR", "home_dir"},
      {"SFTPGO_USER_UID", "uid"},
      {"SFTPGO_USER_GID", "gid"},
      {"SFTPGO_USER_QUOTA_FILES", "quota_files"},
      {"SFTPGO_USER_QUOTA_SIZE", "quota_size"},
      {"SFTPGO_USER_UPLOAD_BANDWIDTH", "upload_bandwidth"},
      {"SFTPGO_USER_DOWNLOAD_BANDWIDTH", "download_bandwidth"},
      {"SFTPGO_USER_MAX_SESSIONS", "max_sessions"},
  }};
  call.variables = {{"SFTPGO_USER_ACTION", action}, {"SFTPGO_USER_PASSWORD", text_of(event, "password_hash")}};
  for (const auto& [variable, name] : kVariables) call.variables.emplace_back(variable, text_of(user, name));
  const Json filesystem = user.value("filesystem", Json::object());
  call.variables.emplace_back("SFTPGO_USER_FS_PROVIDER", text_of(filesystem, "provider"));
  call.query = {{"action", action}};
  call.body = user.dump();
  return call;
}

}  // namespace actions
