// SPDX-License-Identifier: Apache-2.0
//
// What one instance is made from; the host has checked it against the schema.
#pragma once

#include <sallyport/cpp/base.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace actions {

inline constexpr const char* kSettingsSchema = R"({
  "type": "object", "additionalProperties": false,
  "properties": {
    "about": {"type": "string", "enum": ["files", "users"], "default": "files", "description": "which events; set by the host"},
    "execute_on": {"type": "array", "default": [],
                   "description": "names of events; set by the host"},
    "command": {"type": "string", "default": "", "description": "absolute path of the program; set by the host"},
    "url": {"type": "string", "default": "", "description": "the service; set by the host"},
    "command_seconds": {"type": "integer", "default": 30, "minimum": 1, "maximum": 240,
                        "description": "how long the program may take; set by the host"},
    "umask": {"type": "string", "default": "0022", "description": "of the program, in octal; set by the host"},
    "open_files": {"type": "integer", "default": 0, "minimum": 0,
                   "description": "soft limit of open files of the program, 0: the server's; set by the host"},
    "http_seconds": {"type": "integer", "default": 15, "minimum": 1, "maximum": 60,
                     "description": "how long the service may take for one request"},
    "http_retries": {"type": "integer", "default": 2, "minimum": 0, "maximum": 5,
                     "description": "how often a request is repeated that found nobody or a server in trouble"},
    "retry_milliseconds": {"type": "integer", "default": 1000, "minimum": 1, "maximum": 10000,
                           "description": "pause before the first repetition; each further one is twice as long"},
    "ca_file": {"type": "string", "default": "",
                "description": "certificates of the authorities to trust for https (PEM); empty: those of the system"}
  }
})";

struct Settings {
  bool users = false;
  std::vector<std::string> execute_on;
  std::string command, url;  // one of them
  std::chrono::seconds command_time{0}, http_time{0};
  std::string umask;
  std::uint64_t open_files = 0;
  int retries = 0;
  std::chrono::milliseconds first_pause{0};
  std::string ca_file;
};

sallyport::Outcome<Settings> parse_settings(std::string_view config);

}  // namespace actions
