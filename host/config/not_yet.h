// SPDX-License-Identifier: Apache-2.0
//
// Keys that are known but whose feature this version lacks.
#pragma once

#include <string_view>

#include "host/config/assign_json.h"

namespace host::config {

// Setting one of them is a warning.
void check_not_yet(const Config& config, std::string_view where, Findings& findings);

}  // namespace host::config
