// SPDX-License-Identifier: Apache-2.0
//
// Passwords from anywhere but the command line.
#pragma once

#include <string>

#include "host/core/result.h"

namespace host::cli {

// One line of standard input; from a terminal with a prompt, unseen and asked twice.
core::Result<std::string> password_from_stdin();
// The first line of the file that --password-file names.
core::Result<std::string> password_from_file(const std::string& file);

}  // namespace host::cli
