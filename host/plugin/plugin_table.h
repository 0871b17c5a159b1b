// SPDX-License-Identifier: Apache-2.0
//
// A plugin's own description, checked and copied. Private to this folder.
#pragma once

#include <sallyport/plugin.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.h"
#include "host/plugin/registry.h"
#include "host/plugin/schema_check.h"

namespace host::plugin {

struct LoadedFactory {
  sp_factory raw;
  Schema config, user;
};

struct LoadedPlugin {
  PluginInfo info;
  sp_plugin table;
  std::vector<LoadedFactory> factories;  // in the order of info.factories
};

// Copies `raw` as far as both sides know it and checks everything the host relies on. `stem` is the file name that
// the plugin's name must equal. Calls nothing in the plugin.
core::Result<std::unique_ptr<LoadedPlugin>> read_table(const sp_plugin* raw, std::string_view stem);

// Runs one [setup] call of a plugin. Slots called inside it must have been copied to pointers without noexcept: then
// what a careless plugin throws ends here and not the process.
template <class Call>
core::Result<sp_status> fenced(Call&& call) {
  try {
    return call();
  } catch (const std::exception& e) {
    return core::Error(core::Status::kInternal, std::string("it threw an exception: ") + e.what());
  } catch (...) {
    return core::Error(core::Status::kInternal, "it threw an unknown exception");
  }
}

}  // namespace host::plugin
