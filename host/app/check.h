// SPDX-License-Identifier: Apache-2.0
//
// Would a start succeed? Loads plugins and checks their settings, but opens neither database nor port.
#pragma once

#include <string>
#include <vector>

#include "host/config/config.h"

namespace host::app {

// What is wrong, one line each; empty when all is well.
std::vector<std::string> check(const config::Config& config);

}  // namespace host::app
