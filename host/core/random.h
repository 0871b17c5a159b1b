// SPDX-License-Identifier: Apache-2.0
//
// Text for names and identifiers that nobody may guess. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace host::core {

inline constexpr std::string_view kHexDigits = "0123456789abcdef";

// `length` characters of the alphabet (2 to 256), each equally likely when its size is a power of two. Ends the process
// when there are no random numbers: no key exchange would work either.
std::string random_text(std::size_t length, std::string_view alphabet = kHexDigits);

}  // namespace host::core
