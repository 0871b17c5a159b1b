// SPDX-License-Identifier: Apache-2.0
//
// Opening a shared library for good. Private to this folder.
#pragma once

#include <sallyport/plugin.h>

#include <filesystem>
#include <string>

#include "host/core/result.h"

namespace host::plugin {

// The library's sp_plugin_v1; the library stays mapped until the process ends. Any thread.
core::Result<sp_plugin_v1_fn> open_library(const std::filesystem::path& file);

// ".so", ".dylib" or ".dll".
std::string library_suffix();

}  // namespace host::plugin
