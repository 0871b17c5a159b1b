// SPDX-License-Identifier: Apache-2.0
//
// Would a start succeed? Asks the parts that a start would ask, but opens neither database nor port and makes nothing:
// an older database would be migrated by opening it.
#pragma once

#include <string>
#include <vector>

#include "host/config/config.h"

namespace host::app {

// What is wrong, one line each; empty when all is well.
std::vector<std::string> check(const config::Config& config);

}  // namespace host::app
