// SPDX-License-Identifier: Apache-2.0
//
// Users as records of a provider: the declaration of the collection, and conversions.
#pragma once

#include <string>
#include <string_view>

#include "host/users/user_json.h"

namespace host::users {

inline constexpr std::string_view kUsersCollection = "users";

// What Provider::prepare gets. The table layout is that of the replaced system, schema version 2.
std::string collections_json(std::string_view users_table);

enum class RecordKind { kNew, kChange };
// kNew: everything but the id. kChange: without what an update must leave alone (counters, last login, name).
Json to_record(const User& user, RecordKind kind);

// Tolerant: an optional JSON column that cannot be read counts as empty, and a log line says so.
core::Result<User> from_record(std::string_view record_json);

}  // namespace host::users
