// SPDX-License-Identifier: Apache-2.0
//
// SFTPGO_<SECTION>__<KEY>[__<SUB>] variables as assignments.
#pragma once

#include "host/config/assign_json.h"

namespace host::config {

// `environment` in the form of environ; nullptr is an empty one. Variables without "__" are defaults of command-line
// flags and not looked at.
void assign_environment(Config& config, const char* const* environment, Findings& findings);

}  // namespace host::config
