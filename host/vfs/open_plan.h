// SPDX-License-Identifier: Apache-2.0
//
// From what the client asks, what the user may and what the mount can to the flags a storage gets. No look at the file
// comes first: where the answer depends on whether it exists, the flags make the storage decide, so nobody can slip a
// file in between. Pure; any thread.
#pragma once

#include <cstdint>

#include "host/core/result.h"
#include "host/plugin/storage.h"
#include "host/vfs/session_fs.h"

namespace host::vfs {

struct OpenPlan {
  std::uint32_t flags = 0;  // plugin::OpenArgs::Flag; 0: do not open, only see whether the file exists
  bool readable = false;
  bool writable = false;
  bool silent = false;                                // for a checksum: no transfer, no line
  bool append = false;                                // writes must keep their order, whatever the flags say
  bool replaces = false;                              // emptied without being asked for: must be written in full
  core::Status read_refusal = core::Status::kDenied;  // to reads of a file that is not readable
  core::Status if_exists = core::Status::kExists;     // instead of the storage's kExists
  core::Status if_missing = core::Status::kNotFound;  // instead of the storage's kNotFound
};

// `rights` are users::Permission bits from Gate::rights_to_open.
core::Result<OpenPlan> plan_open(const OpenRequest& request, std::uint32_t rights, const plugin::FsCaps& caps);

}  // namespace host::vfs
