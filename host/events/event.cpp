// SPDX-License-Identifier: Apache-2.0
//
// Events as JSON. Pure; any thread. Names may hold any bytes: what is not UTF-8 becomes U+FFFD, and those of files come
// as numbers, too.
#include "host/events/event.h"

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

namespace host::events {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, static_cast<std::size_t>(Kind::kCount)> kNames = {
    "upload",     "download",     "delete",     "rename",   "ssh_cmd",     "upload-failed", "download-failed",
    "pre-upload", "pre-download", "pre-delete", "user-add", "user-update", "user-delete"};

Json begin(Kind kind, std::string_view username) {
  using namespace std::chrono;
  const auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  return {{"kind", kind_name(kind)}, {"username", username}, {"time", now}};
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

void add_path(Json& json, const std::string& name, const std::string& path) {
  json[name] = path;
  const bool is_utf8 = Json::parse(text_of(json.at(name))) == Json(path);
  if (!is_utf8) json[name + "_bytes"] = std::vector<std::uint8_t>(path.begin(), path.end());
}

}  // namespace

std::string_view kind_name(Kind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::string to_json(const FileEvent& event) {
  Json json = begin(event.kind, event.username);
  add_path(json, "path", event.path);
  if (!event.target_path.empty()) add_path(json, "target_path", event.target_path);
  if (!event.virtual_path.empty()) add_path(json, "virtual_path", event.virtual_path);
  if (!event.ssh_command.empty()) json["ssh_command"] = event.ssh_command;
  if (event.file_size) json["file_size"] = *event.file_size;
  json["local_file"] = event.local_file;
  json["connection_id"] = event.connection_id;
  json["protocol"] = event.protocol;
  return text_of(json);
}

std::string to_json(const UserEvent& event) {
  Json json = begin(event.kind, event.username);
  json["user"] = Json::parse(event.user_json, nullptr, false);
  json["password_hash"] = event.password_hash;
  return text_of(json);
}

}  // namespace host::events
