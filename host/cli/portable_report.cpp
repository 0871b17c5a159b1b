// SPDX-License-Identifier: Apache-2.0
//
// What `portable` says once its port is open. Lists and maps in the line look as the replaced system prints them.
#include <unistd.h>

#include <array>
#include <cstdio>

#include "host/app/version.h"
#include "host/cli/portable_flags.h"
#include "host/users/permission_names.h"

namespace host::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kHidden = "[redacted]";

// The line is one line, whatever is in it.
void append_shown(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20 && byte != 0x7f) {
    out += c;
    return;
  }
  std::array<char, 8> escape{};
  std::snprintf(escape.data(), escape.size(), "\\x%02x", byte);
  out += escape.data();
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    append_shown(out, c);
  }
  return out + '"';
}

template <class List>
std::string listed(const List& words) {
  std::string out = "[";
  for (const auto& word : words) {
    if (out.size() > 1) out += ' ';
    for (const char c : std::string_view(word)) append_shown(out, c);
  }
  return out + "]";
}

std::string shown_password(const PortablePlan& plan) {
  const auto& password = plan.options.account.password;
  return plan.show_password || password.empty() ? password : std::string(kHidden);
}

}  // namespace

std::string portable_line(const PortablePlan& plan, const app::PortableOptions::Listening& listening) {
  const auto& account = plan.options.account;
  std::string permissions;
  for (const auto& [directory, bits] : account.permissions) {
    permissions += (permissions.empty() ? "" : " ") + directory.str() + ":" + listed(users::permission_names(bits));
  }
  return "Portable mode ready, SFTP port: " + std::to_string(listening.port) +
         ", user: " + in_quotes(account.username) + ", password: " + in_quotes(shown_password(plan)) +
         ", public keys: " + listed(account.public_keys) + ", directory: " + in_quotes(plan.directory) +
         ", permissions: map[" + permissions +
         "], enabled ssh commands: " + listed(plan.options.config.sftpd.enabled_ssh_commands);
}

std::string portable_json(const PortablePlan& plan, const app::PortableOptions::Listening& listening) {
  const auto& account = plan.options.account;
  Json permissions = Json::object();
  for (const auto& [directory, bits] : account.permissions) {
    permissions[directory.str()] = users::permission_names(bits);
  }
  Json host_keys = Json::array();
  for (const auto& key : listening.host_keys) {
    host_keys.push_back({{"type", key.type}, {"key", key.base64}, {"fingerprint", key.fingerprint}});
  }
  Json json = {{"port", listening.port},
               {"address", plan.options.config.sftpd.bind_address},
               {"username", account.username},
               {"public_keys", account.public_keys},
               {"directory", plan.directory},
               {"permissions", std::move(permissions)},
               {"ssh_commands", plan.options.config.sftpd.enabled_ssh_commands},
               {"host_keys", std::move(host_keys)},
               {"any_credentials", plan.options.any_credentials},
               {"pid", ::getpid()},
               {"version", app::version()}};
  if (plan.show_password && !account.password.empty()) json["password"] = account.password;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace host::cli
