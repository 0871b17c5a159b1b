// SPDX-License-Identifier: Apache-2.0
//
// Who is asked at logins and told of events: the configuration's hooks as instances of plugins, in their order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/config/config.h"
#include "host/core/result.h"
#include "host/plugin/registry.h"

namespace host::app {

// One object to make of a plugin.
struct Instance {
  std::string plugin;
  std::string settings;  // JSON
  std::string where;     // the key that asks for it, for messages
};

// The plugins that carry the hooks of the replaced system's keys.
inline constexpr std::string_view kAuthHooks = "auth-external", kActionHooks = "actions";

std::vector<Instance> authenticator_instances(const config::Config& config);
std::vector<Instance> notifier_instances(const config::Config& config);

// What would show only at the first event, or never: commands that are not there, events that nobody is told of.
// Commands may be about to be installed, so it is no reason not to start.
std::vector<std::string> action_warnings(const config::Config& config);

core::Result<std::vector<std::unique_ptr<plugin::Authenticator>>> make_authenticators(plugin::Registry& registry,
                                                                                      const config::Config& config);
// Login programs that cannot be run: a start refuses them, a server that runs can only tell. Any thread.
std::vector<std::string> login_program_problems(const config::Config& config);

core::Result<std::vector<std::unique_ptr<plugin::Notifier>>> make_notifiers(plugin::Registry& registry,
                                                                            const config::Config& config);

}  // namespace host::app
