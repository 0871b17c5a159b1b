// SPDX-License-Identifier: Apache-2.0
//
// The server process from start to end.
#pragma once

#include <filesystem>
#include <string>

#include "host/core/log.h"

namespace host::app {

struct ServeOptions {
  std::filesystem::path config_dir = ".";
  std::string config_file;  // name without extension; empty: the usual ones
  // path relative to config_dir; empty, "." and "..": standard output
  core::log::Options log;
};

// Serves until told to stop by a signal; the exit code of the process. A failed start is told in the log and, once,
// on standard error.
int serve(const ServeOptions& options);

}  // namespace host::app
