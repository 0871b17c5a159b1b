// SPDX-License-Identifier: Apache-2.0
//
// The known key or section that a mistyped one most resembles.
#pragma once

#include <string_view>

namespace host::config {

// Empty when nothing comes close.
std::string_view nearest_key(std::string_view path);

}  // namespace host::config
