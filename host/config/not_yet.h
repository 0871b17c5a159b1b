// SPDX-License-Identifier: Apache-2.0
//
// Keys that are known but whose feature this version lacks.
#pragma once

#include "host/config/assign_json.h"

namespace host::config {

// Setting one of them is a problem where going on without it would be unsafe or wrong, otherwise a warning.
void check_not_yet(const Config& config, std::string_view where, Findings& findings);

// For the reference page; empty for keys that work.
std::string_view not_yet_note(std::string_view path);

}  // namespace host::config
