// SPDX-License-Identifier: Apache-2.0
//
// The table of keys for people: the reference page, and the values in force.
#pragma once

#include <string>

#include "host/config/config.h"

namespace host::config {

// docs/configuration.md, whole.
std::string reference_page();

// One line "key = value" for each key, secrets blanked, those that differ from the default marked with '*'.
std::string values_in_force(const Config& config);

}  // namespace host::config
