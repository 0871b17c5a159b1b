// SPDX-License-Identifier: Apache-2.0
//
// Reads the optional dump file.
#pragma once

#include <string>

#include "provider-common/schema.h"

namespace provider_memory {

inline constexpr std::uintmax_t kMaxDumpBytes = 10485760;

// Its JSON. Failures name the path, and the place of a mistake.
provider_common::Outcome<provider_common::Json> read_dump(const std::string& path);

}  // namespace provider_memory
