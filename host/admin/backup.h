// SPDX-License-Identifier: Apache-2.0
//
// All accounts as one file, `{"users": [...]}`. It holds password hashes and secrets. Calls block.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>

#include "host/core/result.h"
#include "host/users/store.h"

namespace host::admin {

struct Backup {
  std::size_t users = 0;
  std::size_t bytes = 0;
};

// Writes the file whole or not at all, and not without accounts that cannot be read; directories on the way are made
// (0700), the file is 0600. What an earlier one left unfinished in its directory goes when it is an hour old.
// `going_on` is asked before each page; when it says no, there is no file (kBusy).
core::Result<Backup> write_backup(users::Store& store, const std::filesystem::path& file, bool indent,
                                  const std::function<bool()>& going_on);

}  // namespace host::admin
