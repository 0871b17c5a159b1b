// SPDX-License-Identifier: Apache-2.0
//
// Where the executable finds its own files: the same places in a build tree and when installed.
#pragma once

#include <filesystem>

namespace host::app {

std::filesystem::path executable_file();

// The plugin directory that belongs to an executable: ../lib/sallyport/plugins, or where this build installs plugins
// relative to its executables if that exists instead.
std::filesystem::path plugin_directory_of(const std::filesystem::path& executable);

}  // namespace host::app
