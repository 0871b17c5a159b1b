// SPDX-License-Identifier: Apache-2.0
//
// Accounts back from a file that a dump wrote (backup.h). Calls block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "host/core/result.h"
#include "host/users/store.h"

namespace host::admin {

enum class RestoreMode : std::uint8_t { kUpdate = 0, kSkipExisting = 1 };

struct RestoreSummary {
  struct Refusal {
    std::string username;
    core::Error reason;
  };
  std::size_t added = 0, updated = 0, skipped = 0, refused = 0;
  std::vector<Refusal> refusals;         // the first of them
  core::Error ended{core::Status::kOk};  // else: why the rest was left as it was

  std::size_t seen() const { return added + updated + skipped + refused; }
};

// Each account is taken whole or refused, the others all the same, unless the data provider fails again and again. An
// error when the file is none of that kind, and then nothing was taken. `going_on` is asked before each account;
// `taken` is told of each as it is stored now.
core::Result<RestoreSummary> read_backup(users::Store& store, const std::filesystem::path& file, RestoreMode mode,
                                         const std::function<bool()>& going_on,
                                         const std::function<void(const users::User&, bool is_new)>& taken);

std::string to_json(const RestoreSummary& summary);

}  // namespace host::admin
