// SPDX-License-Identifier: Apache-2.0
//
// Lower-case hexadecimal digits. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace host::users {

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);

}  // namespace host::users
