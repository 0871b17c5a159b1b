// SPDX-License-Identifier: Apache-2.0
//
// What can be said about a plugin file before any code of it runs. Private to this folder.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "host/core/result.h"

namespace host::plugin {

// Refuses a file that is missing, no regular file, or that others could replace or change.
core::Result<void> check_permissions(const std::filesystem::path& file);

// Refuses what is no shared library at all or was cut short: the system would crash on the missing part, not fail.
core::Result<void> check_complete(const std::filesystem::path& file);

// Compares the file's SHA-256 with `wanted_hex`.
core::Result<void> check_sha256(const std::filesystem::path& file, std::string_view wanted_hex);

}  // namespace host::plugin
