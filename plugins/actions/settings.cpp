// SPDX-License-Identifier: Apache-2.0
//
// Settings from JSON. Start-up only. That a command is missing shows when it is needed: it may be about to be
// installed.
#include "settings.h"

#include <nlohmann/json.hpp>

#include "hook-common/http.h"

namespace actions {

sallyport::Outcome<Settings> parse_settings(std::string_view config) {
  const auto invalid = [](std::string why) { return sallyport::Failure{SP_E_INVALID, std::move(why), 0}; };
  const auto json = nlohmann::json::parse(config);
  Settings settings;
  settings.users = json.at("about").get<std::string>() == "users";
  settings.execute_on = json.at("execute_on").get<std::vector<std::string>>();
  settings.command = json.at("command").get<std::string>();
  settings.url = json.at("url").get<std::string>();
  settings.command_time = std::chrono::seconds(json.at("command_seconds").get<int>());
  settings.umask = json.at("umask").get<std::string>();
  settings.open_files = json.at("open_files").get<std::uint64_t>();
  settings.http_time = std::chrono::seconds(json.at("http_seconds").get<int>());
  settings.retries = json.at("http_retries").get<int>();
  settings.first_pause = std::chrono::milliseconds(json.at("retry_milliseconds").get<int>());
  settings.ca_file = json.at("ca_file").get<std::string>();
  if (settings.command.empty() == settings.url.empty()) return invalid("a command or a URL is needed, and one of them");
  if (!settings.command.empty() && settings.command.front() != '/') return invalid("the command is no absolute path");
  if (!settings.url.empty() && !hook_common::is_http_url(settings.url)) return invalid("the URL cannot be understood");
  if (settings.umask.empty() || settings.umask.find_first_not_of("01234567") != std::string::npos)
    return invalid("umask is not octal");
  return settings;
}

}  // namespace actions
