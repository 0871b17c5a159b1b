// SPDX-License-Identifier: Apache-2.0
//
// Environment variables as defaults of flags.
#pragma once

#include <cstdint>
#include <string>

#include "host/core/result.h"

namespace host::cli {

// Set but empty is a value: an empty SFTPGO_LOG_FILE_PATH means standard output.
std::string text_from_environment(const char* name, std::string fallback);
// For the others an empty variable counts as not set. Errors name variable, value and what is allowed.
core::Result<std::uint32_t> number_from_environment(const char* name, std::uint32_t fallback);
core::Result<bool> switch_from_environment(const char* name, bool fallback);

}  // namespace host::cli
