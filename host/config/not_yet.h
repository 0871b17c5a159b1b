// SPDX-License-Identifier: Apache-2.0
//
// Keys that are known but whose feature this version lacks.
#pragma once

#include "host/config/assign_json.h"

namespace host::config {

// Setting one of them is a problem where going on without it would be unsafe or wrong, otherwise a warning.
void check_not_yet(const Config& config, std::string_view where, Findings& findings);

}  // namespace host::config
