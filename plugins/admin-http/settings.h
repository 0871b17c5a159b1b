// SPDX-License-Identifier: Apache-2.0
//
// The httpd section as this plugin understands it. The host has checked types and filled in defaults.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sallyport/cpp/base.hpp>

namespace admin_http {

inline constexpr char kSettingsSchema[] = R"json({
  "type": "object",
  "properties": {
    "bind_address": {"type": "string", "default": "127.0.0.1", "description": "address to listen on; empty: all, IPv4 and IPv6"},
    "bind_port": {"type": "integer", "default": 8080, "minimum": -1, "maximum": 65535, "description": "-1 takes any free port"},
    "auth_user_file": {"type": "string", "default": "", "description": "administrators, as htpasswd writes them; empty: no authentication"},
    "certificate_file": {"type": "string", "default": "", "description": "PEM, with its chain; with the key it switches HTTPS on"},
    "certificate_key_file": {"type": "string", "default": "", "description": "PEM"},
    "allow_insecure": {"type": "boolean", "default": false, "description": "listen beyond this machine without authentication or TLS"},
    "allowed_hosts": {"type": "array", "default": [], "description": "names, or name:port, by which browsers and proxies may call this server"}
  }
})json";

struct Settings {
  std::string bind_address;
  int bind_port = 0;
  std::string auth_user_file, certificate_file, certificate_key_file;
  bool allow_insecure = false;
  std::vector<std::string> allowed_hosts;

  bool tls() const { return !certificate_file.empty(); }
  bool beyond_this_machine() const;
};

// Refuses what would open the server to strangers.
sallyport::Outcome<Settings> parse_settings(std::string_view json);

}  // namespace admin_http
