// SPDX-License-Identifier: Apache-2.0
//
// The fields of a user's JSON form one by one. Private to this folder: merge_json stops at the first bad field, reading
// a stored record does not.
#pragma once

#include <span>
#include <string_view>

#include "host/users/user_json.h"

namespace host::users {

struct UserField {
  const char* name;
  // `name` is for messages; on failure the user is unchanged.
  core::Result<void> (*read)(User& user, const Json& value, std::string_view name);
};

std::span<const UserField> user_fields();

Json virtual_folders_to_json(const User& user);

}  // namespace host::users
