// SPDX-License-Identifier: Apache-2.0
//
// The files that plugins are loaded from. Any thread. Private to this folder.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.h"
#include "host/plugin/plugin_table.h"
#include "host/plugin/registry.h"

namespace host::plugin {

// Of all files that are there, sorted; nothing is loaded.
std::vector<std::string> plugin_names(const RegistryOptions& options);
core::Result<std::filesystem::path> find_plugin(const RegistryOptions& options, std::string_view name);
// Loads it for good, if it may be, and checks how it describes itself; in the plugin's turn.
core::Result<std::unique_ptr<LoadedPlugin>> read_plugin(const RegistryOptions& options, std::string_view name,
                                                        const std::filesystem::path& file);

}  // namespace host::plugin
