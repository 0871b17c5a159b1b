// SPDX-License-Identifier: Apache-2.0
//
// Standard base64 (RFC 4648 section 4), strict: no white space, no stray bits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace host::users {

enum class Padding { kNone, kRequired };

std::string encode_base64(std::string_view bytes, Padding padding);
std::optional<std::string> decode_base64(std::string_view text, Padding padding);

}  // namespace host::users
