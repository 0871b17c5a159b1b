// SPDX-License-Identifier: Apache-2.0
//
// Apache's variant of MD5-crypt. Private to password.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace host::users {

// `$apr1$SALT$...` for the password; nothing when this OpenSSL has no MD5. At most 8 bytes of the salt count.
std::optional<std::string> apr1_crypt(std::string_view plain, std::string_view salt);

}  // namespace host::users
