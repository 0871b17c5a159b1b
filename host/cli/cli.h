// SPDX-License-Identifier: Apache-2.0
//
// The command line as a function.
#pragma once

namespace host::cli {

// Parses, does what was asked and returns the exit code of the process: 0 or 1.
int run(int argc, const char* const* argv);

}  // namespace host::cli
