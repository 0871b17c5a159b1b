// SPDX-License-Identifier: Apache-2.0
//
// Settings from JSON, and whether there is somebody to ask. Start-up only.
#include "settings.h"

#include <nlohmann/json.hpp>

#include "hook-common/http.h"
#include "hook-common/process.h"

namespace auth_external {

sallyport::Outcome<Settings> parse_settings(std::string_view config) {
  const auto invalid = [](std::string why) { return sallyport::Failure{SP_E_INVALID, std::move(why), 0}; };
  const auto json = nlohmann::json::parse(config);
  Settings settings;
  const auto hook = json.at("hook").get<std::string>();
  settings.hook = hook == "external" ? Hook::kExternal : hook == "keyboard" ? Hook::kKeyboard : Hook::kPreLogin;
  settings.program = json.at("program").get<std::string>();
  settings.url = json.at("url").get<std::string>();
  settings.methods = json.at("methods").get<std::uint32_t>();
  settings.umask = json.at("umask").get<std::string>();
  settings.open_files = json.at("open_files").get<std::uint64_t>();
  settings.time = std::chrono::seconds(json.at("seconds").get<int>());
  settings.max_conversations = json.at("max_conversations").get<std::size_t>();
  settings.max_conversations_per_address = json.at("max_conversations_per_address").get<std::size_t>();
  settings.ask_unknown_users = json.at("ask_unknown_users").get<bool>();
  settings.cache = std::chrono::seconds(json.at("cache_seconds").get<int>());
  settings.ca_file = json.at("ca_file").get<std::string>();
  if (settings.program.empty() == settings.url.empty()) return invalid("a program or a URL is needed, and one of them");
  if (!settings.program.empty()) {
    if (const auto why = hook_common::why_no_program(settings.program); !why.empty())
      return invalid(settings.program + " " + why);
  }
  if (!settings.url.empty() && !hook_common::is_http_url(settings.url)) return invalid("the URL cannot be understood");
  if (settings.umask.empty() || settings.umask.find_first_not_of("01234567") != std::string::npos)
    return invalid("umask is not octal");
  return settings;
}

}  // namespace auth_external
