// SPDX-License-Identifier: Apache-2.0
//
// Times as people write them.
#pragma once

#include <chrono>
#include <string_view>

#include "host/core/result.h"

namespace host::cli {

// "90", "90s", "1h30m", "500ms": more than nothing, at most a year. A number without a unit counts seconds.
core::Result<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace host::cli
