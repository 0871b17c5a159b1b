// SPDX-License-Identifier: Apache-2.0
//
// Whether one text satisfies a Rule, and numbers in octal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/config/keys.h"

namespace host::config {

bool text_allowed(const Rule& rule, std::string_view text);

// 18 -> "0022": at least four digits.
std::string octal_text(std::int64_t value);

}  // namespace host::config
