// SPDX-License-Identifier: Apache-2.0
//
// What flags say about an account, as members of its JSON form: only what was given appears. Inside host/cli only.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/core/result.h"

namespace host::cli {

struct UserFields {
  std::optional<std::string> home_dir, password_file, expiration_date, json_file;
  bool password_stdin = false;
  std::vector<std::string> public_keys, public_key_files, permissions;
  std::optional<std::int64_t> uid, gid, status;
};

bool is_empty(const UserFields& fields);

// A refusal of host/users, which names members of the record, with the options that set them; as it is where a file
// with members was given.
core::Error in_options(core::Error refusal, const UserFields& fields);

// The file of --json first, then the flags over it. Reads files and standard input.
core::Result<nlohmann::ordered_json> to_json(const UserFields& fields);

// "/sub=list,download" -> {"/sub": ["list", "download"]}.
core::Result<nlohmann::ordered_json> parse_permissions(const std::vector<std::string>& texts);

// "2030-12-31" -> ms since 1970 at the start of that day in UTC; "" -> 0, never.
core::Result<std::int64_t> parse_expiration(const std::string& text);
// The reverse; "never" for 0.
std::string expiration_text(std::int64_t ms);

}  // namespace host::cli
