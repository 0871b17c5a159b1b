// SPDX-License-Identifier: Apache-2.0
//
// A User as JSON: field names and order of the replaced system's REST API, dumps and database records.
#pragma once

#include <nlohmann/json.hpp>

#include "host/core/result.h"
#include "host/users/user.h"

namespace host::users {

using Json = nlohmann::ordered_json;

enum class Secrets { kKeep, kBlank };  // for people: public_json.h

Json to_json(const User& user, Secrets secrets);
// Decodes over `user`: members that are absent keep their value.
core::Result<void> merge_json(User& user, const Json& json);
// Refuses members that mean nothing, by name. For people who write JSON by hand: merge_json ignores them, as records of
// databases and clients of the replaced system need. Settings of a storage are its schema's to check.
core::Result<void> check_members(const Json& json);
// For programs that send JSON: they may know more than we do, but a name that is mistyped should not pass unnoticed.
void warn_of_unknown_members(std::string_view sender, const std::string& username, const Json& json);

}  // namespace host::users
