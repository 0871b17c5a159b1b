// SPDX-License-Identifier: Apache-2.0
//
// What one instance is made from; the host has checked it against the schema.
#pragma once

#include <sallyport/cpp/base.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace auth_external {

inline constexpr const char* kSettingsSchema = R"({
  "type": "object", "additionalProperties": false,
  "properties": {
    "hook": {"type": "string", "enum": ["external", "pre-login", "keyboard"], "default": "external",
             "description": "what is asked; set by the host"},
    "program": {"type": "string", "default": "", "description": "absolute path of the program; set by the host"},
    "url": {"type": "string", "default": "", "description": "the service in its place; set by the host"},
    "methods": {"type": "integer", "default": 7, "minimum": 1, "maximum": 7,
                "description": "for which logins: sum of 1 password, 2 public key, 4 keyboard-interactive; set by the host"},
    "umask": {"type": "string", "default": "0022", "description": "of the program, in octal; set by the host"},
    "open_files": {"type": "integer", "default": 0, "minimum": 0,
                   "description": "soft limit of open files of the program, 0: the server's; set by the host"},
    "seconds": {"type": "integer", "default": 60, "minimum": 1, "maximum": 60,
                "description": "how long a program, a conversation with it, or a service may take"},
    "max_conversations": {"type": "integer", "default": 100, "minimum": 1, "maximum": 10000,
                          "description": "programs that wait for answers of clients at once; names without an account, and one address, have a quarter of that at most"},
    "max_conversations_per_address": {"type": "integer", "default": 0, "minimum": 0, "maximum": 10000,
                          "description": "of these for one address (an IPv6 /64), such as that of an office; 0: a quarter"},
    "ask_unknown_users": {"type": "boolean", "default": true,
                          "description": "whether questions are put to names without an account, too, who are refused in the end; false: they are refused at once, which tells who has one"},
    "cache_seconds": {"type": "integer", "default": 0, "minimum": 0, "maximum": 3600,
                      "description": "how long an accepted password or key is not asked about again; 0: always ask"},
    "ca_file": {"type": "string", "default": "",
                "description": "certificates of the authorities to trust for https (PEM); empty: those of the system"}
  }
})";

enum class Hook { kExternal, kPreLogin, kKeyboard };

struct Settings {
  Hook hook = Hook::kExternal;
  std::string program, url;  // one of them
  std::uint32_t methods = 0;
  std::string umask;
  std::uint64_t open_files = 0;
  std::chrono::seconds time{0};
  std::size_t max_conversations = 0, max_conversations_per_address = 0;
  bool ask_unknown_users = false;
  std::chrono::seconds cache{0};
  std::string ca_file;
};

sallyport::Outcome<Settings> parse_settings(std::string_view config);

}  // namespace auth_external
