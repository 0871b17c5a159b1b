// SPDX-License-Identifier: Apache-2.0
//
// What every file and directory of a session shares. Held by shared_ptr, so that the mounts outlive what was opened on
// them. Immutable; any thread.
#pragma once

#include <utility>
#include <vector>

#include "host/vfs/gate.h"
#include "host/vfs/mounts.h"
#include "host/vfs/session_fs.h"

namespace host::vfs {

struct Context {
  Context(std::vector<Mount> mounts_in, Identity identity_in, const Options& options_in)
      : identity(std::move(identity_in)), options(options_in), gate(identity.user), mounts(std::move(mounts_in)) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Identity identity;
  const Options options;
  const Gate gate;
  const Mounts mounts;

  plugin::Op op() const { return {.session_id = identity.session_number}; }
};

// The SessionFs over mounts that exist already; SessionFs::mount ends here.
std::shared_ptr<SessionFs> make_session_fs(std::vector<Mount> mounts, Identity identity, const Options& options);

}  // namespace host::vfs
