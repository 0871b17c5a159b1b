// SPDX-License-Identifier: Apache-2.0
//
// What an account must look like before it is stored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.h"
#include "host/users/user.h"

namespace host::users {

// Every refusal begins with it; scripts of the replaced system look for it.
inline constexpr std::string_view kValidationPrefix = "Validation error: ";
core::Error invalid(std::string_view text);

// What is allowed, because accounts of the replaced system have it, but hardly meant: one line each.
std::vector<std::string> oddities(const User& user);

// Checks a user and brings it into the stored form: default home directory, clean paths, folders dropped where the
// storage has none. The password is only checked for presence. Settings of the storage are the plugin's to check.
core::Result<void> validate(User& user, std::string_view users_base_dir);

}  // namespace host::users
