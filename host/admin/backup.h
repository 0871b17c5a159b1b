// SPDX-License-Identifier: Apache-2.0
//
// All accounts as one file, `{"users": [...]}`, and back. The file holds password hashes and secrets. Calls block.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.h"
#include "host/users/store.h"

namespace host::admin {

// Writes the file whole or not at all; directories on the way are made (0700), the file is 0600.
core::Result<std::size_t> write_backup(users::Store& store, const std::filesystem::path& file, bool indent);

enum class RestoreMode : std::uint8_t { kUpdate = 0, kSkipExisting = 1 };

struct RestoreSummary {
  struct Refusal {
    std::string username;
    core::Error reason;
  };
  std::size_t added = 0, updated = 0, skipped = 0, refused = 0;
  std::vector<Refusal> refusals;      // the first of them
  std::vector<users::User> restored;  // as stored now
  std::vector<bool> is_new;           // one for each of them
};

// Each account is taken whole or refused, the others all the same. An error when the file cannot be read at all.
// `going_on` is asked before each account; when it says no, the rest stays as it is (kCancelled).
core::Result<RestoreSummary> read_backup(users::Store& store, const std::filesystem::path& file, RestoreMode mode,
                                         const std::function<bool()>& going_on);

std::string to_json(const RestoreSummary& summary);

}  // namespace host::admin
