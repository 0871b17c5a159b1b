// SPDX-License-Identifier: Apache-2.0
//
// Would a start succeed? Asks the parts that a start would ask, but makes and changes nothing: an older database is
// looked at and not migrated. What is beyond this machine, and whether ports are free, only the start shows.
#pragma once

#include <string>
#include <vector>

#include "host/config/config.h"

namespace host::app {

struct Checked {
  std::vector<std::string> problems;  // one line each; empty when a start would succeed
  std::vector<std::string> notes;     // what it would do that somebody may want to know before
};
Checked check(const config::Config& config);

}  // namespace host::app
