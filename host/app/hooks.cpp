// SPDX-License-Identifier: Apache-2.0
//
// The one place that knows which keys of the replaced system are hooks, and what their plugins call them. Start-up
// only.
#include "host/app/hooks.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "host/app/files_limit.h"
#include "host/config/rules.h"

namespace host::app {
namespace {

using Json = nlohmann::ordered_json;
using config::Config;
using plugin::AuthMethod;

constexpr int kAllMethods = static_cast<int>(AuthMethod::kPassword | AuthMethod::kPublicKey | AuthMethod::kKeyboard);
constexpr int kCommandSeconds = 30, kUserCommandSeconds = 15;

bool is_url(const std::string& text) { return text.starts_with("http://") || text.starts_with("https://"); }

// Settings of an instance: what operators say about the plugin, then what its key says.
Instance make(std::string_view plugin, const config::TextMap& operators, const Json& own, std::string where) {
  Json settings = Json::object();
  if (const auto found = operators.find(std::string(plugin)); found != operators.end())
    settings = Json::parse(found->second);
  settings.update(own);
  return {std::string(plugin), settings.dump(-1, ' ', false, Json::error_handler_t::replace), std::move(where)};
}

void add_hook(std::vector<Instance>& out, const Config& config, const char* hook, const std::string& target,
              int methods, std::string where) {
  if (target.empty() || methods == 0) return;
  Json own = {{"hook", hook}, {is_url(target) ? "url" : "program", target}, {"methods", methods}};
  own["umask"] = config::octal_text(config.sftpd.umask);
  own["open_files"] = files_limit_at_start();
  out.push_back(make(kAuthHooks, config.plugins.authenticator, own, std::move(where)));
}

// Where both are set, external authentication has the methods of its scope and pre-login the others. Questions are only
// asked with a program for them: the host's own question is for a password and counts as one.
std::vector<Instance> login_hooks(const Config& config) {
  const auto& provider = config.data_provider;
  const auto& questions = config.sftpd.keyboard_interactive_auth_program;
  const int asked = questions.empty() ? kAllMethods & ~static_cast<int>(AuthMethod::kKeyboard) : kAllMethods;
  const int scope = provider.external_auth_scope == 0 ? kAllMethods : provider.external_auth_scope;
  const int rest = provider.external_auth_program.empty() ? asked : asked & ~scope;
  std::vector<Instance> out;
  add_hook(out, config, "external", provider.external_auth_program, asked & scope,
           "data_provider.external_auth_program");
  add_hook(out, config, "pre-login", provider.pre_login_program, rest, "data_provider.pre_login_program");
  add_hook(out, config, "keyboard", questions, static_cast<int>(AuthMethod::kKeyboard),
           "sftpd.keyboard_interactive_auth_program");
  return out;
}

bool are_set(const config::Actions& actions) {
  return !actions.execute_on.empty() && (!actions.command.empty() || !actions.http_notification_url.empty());
}

// The command and the service are told each on its own, so that one that does not answer holds up only itself.
void add_actions(std::vector<Instance>& out, const Config& config, const config::Actions& actions, const char* about,
                 int seconds, const std::string& section) {
  if (!are_set(actions)) return;
  const auto add = [&](const std::string& command, const std::string& url, const char* key) {
    if (command.empty() && url.empty()) return;
    const Json own = {{"about", about},
                      {"execute_on", actions.execute_on},
                      {"command", command},
                      {"url", url},
                      {"command_seconds", seconds},
                      {"umask", config::octal_text(config.sftpd.umask)},
                      {"open_files", files_limit_at_start()}};
    out.push_back(make(kActionHooks, config.plugins.notifier, own, section + key));
  };
  add(actions.command, "", ".command");
  add("", actions.http_notification_url, ".http_notification_url");
}

std::vector<Instance> action_hooks(const Config& config) {
  std::vector<Instance> out;
  add_actions(out, config, config.sftpd.actions, "files", kCommandSeconds, "sftpd.actions");
  add_actions(out, config, config.data_provider.actions, "users", kUserCommandSeconds, "data_provider.actions");
  return out;
}

// The hooks stand where their plugin is named, else before all others.
std::vector<Instance> in_order(std::vector<Instance> hooks, std::string_view hook_plugin,
                               const std::vector<std::string>& names, const config::TextMap& settings,
                               const std::string& key) {
  std::vector<Instance> out;
  if (std::find(names.begin(), names.end(), hook_plugin) == names.end()) out = hooks;
  for (const auto& name : names) {
    if (name == hook_plugin) {
      out.insert(out.end(), hooks.begin(), hooks.end());
    } else {
      out.push_back(make(name, settings, Json::object(), key + "." + name));
    }
  }
  return out;
}

template <class Object, class Make>
core::Result<std::vector<std::unique_ptr<Object>>> make_all(const std::vector<Instance>& instances, const Make& make) {
  std::vector<std::unique_ptr<Object>> out;
  for (const auto& instance : instances) {
    auto made = make(instance);
    if (!made) return made.error();
    out.push_back(std::move(*made));
  }
  return out;
}

std::string why_not_run(const std::string& program) {
  std::error_code failed;
  const bool directory = std::filesystem::is_directory(program, failed);
  if (!directory && ::access(program.c_str(), X_OK) == 0) return "";
  return std::string(" cannot be run: ") + (directory ? "it is a directory" : std::strerror(errno));
}

}  // namespace

std::vector<Instance> authenticator_instances(const Config& config) {
  return in_order(login_hooks(config), kAuthHooks, config.plugins.authenticators, config.plugins.authenticator,
                  "plugins.authenticator");
}

std::vector<Instance> notifier_instances(const Config& config) {
  return in_order(action_hooks(config), kActionHooks, config.plugins.notifiers, config.plugins.notifier,
                  "plugins.notifier");
}

std::vector<std::string> login_program_problems(const Config& config) {
  std::vector<std::string> out;
  for (const auto& each : login_hooks(config)) {
    const auto program = Json::parse(each.settings).value("program", "");
    if (const auto why = why_not_run(program); !program.empty() && !why.empty())
      out.push_back(each.where + ": " + program + why);
  }
  return out;
}

std::vector<std::string> action_warnings(const Config& config) {
  std::vector<std::string> out;
  const auto look = [&](const config::Actions& actions, const std::string& key) {
    if (!actions.execute_on.empty() && !are_set(actions)) {
      out.push_back(key + ".execute_on has no effect: neither " + key + ".command nor " + key +
                    ".http_notification_url is set");
    }
    if (!are_set(actions) || actions.command.empty()) return;
    if (const auto why = why_not_run(actions.command); !why.empty())
      out.push_back(key + ".command: " + actions.command + why);
  };
  look(config.sftpd.actions, "sftpd.actions");
  look(config.data_provider.actions, "data_provider.actions");
  return out;
}

core::Result<std::vector<std::unique_ptr<plugin::Authenticator>>> make_authenticators(plugin::Registry& registry,
                                                                                      const Config& config) {
  return make_all<plugin::Authenticator>(authenticator_instances(config), [&](const Instance& each) {
    return registry.make_authenticator(each.plugin, each.settings, each.where);
  });
}

core::Result<std::vector<std::unique_ptr<plugin::Notifier>>> make_notifiers(plugin::Registry& registry,
                                                                            const Config& config) {
  return make_all<plugin::Notifier>(notifier_instances(config), [&](const Instance& each) {
    return registry.make_notifier(each.plugin, each.settings, each.where);
  });
}

}  // namespace host::app
