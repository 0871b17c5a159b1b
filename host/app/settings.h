// SPDX-License-Identifier: Apache-2.0
//
// The configuration in the terms of the parts. Reads the login banner; opens nothing else.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/auth/defender.h"
#include "host/config/config.h"
#include "host/core/result.h"
#include "host/plugin/registry.h"
#include "host/ssh/server.h"
#include "host/users/store.h"

namespace host::app {

plugin::RegistryOptions registry_options(const config::Config& config);
core::Result<users::StoreOptions> store_options(const config::Config& config);
// What a reload may change; part of server_options.
core::Result<ssh::SessionOptions> session_options(const config::Config& config);
core::Result<auth::DefenderOptions> defender_options(const config::Config& config);
// The directory of the configuration must be there, even if no file is.
core::Result<void> check_directory(const std::filesystem::path& dir);
// Without host keys: those may have to be made first.
core::Result<ssh::ServerOptions> server_options(const config::Config& config);

// The httpd section in the terms of the plugin that serves it.
inline constexpr std::string_view kHttpPlugin = "admin-http";
core::Result<std::string> http_settings(const config::Config& config);

// Names of the plugins that plugins.paths lists: a file named there must be loadable, whether or not it is used.
std::vector<std::string> plugins_at_paths(const config::Config& config);

// Settings of plugins that nothing asks for: a mistyped name would go unnoticed.
std::vector<std::string> unused_settings(const config::Config& config);

// Storage plugins that must work at start: the default one and all that have settings.
std::vector<std::string> storage_names(const config::Config& config);

}  // namespace host::app
