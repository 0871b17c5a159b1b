// SPDX-License-Identifier: Apache-2.0
//
// What differs between two configurations, for reloading.
#pragma once

#include <string_view>
#include <vector>

#include "host/config/config.h"

namespace host::config {

struct Changes {
  std::vector<std::string_view> live;           // keys that a running server takes over
  std::vector<std::string_view> needs_restart;  // the others
};

Changes changes(const Config& from, const Config& to);

}  // namespace host::config
