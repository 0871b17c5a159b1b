// SPDX-License-Identifier: Apache-2.0
//
// One request to change attributes: every group in it is checked before any is applied, so that a refusal never leaves
// half of it done. Shared by paths and open files. Any thread.
#pragma once

#include <functional>

#include "host/core/attrs.h"
#include "host/core/result.h"
#include "host/vfs/context.h"

namespace host::vfs {

struct AttrsTarget {
  const core::VirtualPath& path;
  const plugin::FsCaps& caps;
  bool open_for_writing = false;               // size was granted when the file was opened
  std::function<core::Result<bool>()> is_dir;  // asked only when the answer depends on it
};

// The attributes to hand to the storage; `valid` is 0 when there is nothing to do. Permission bits beyond rwx are
// dropped: virtual accounts create no setuid files.
core::Result<core::Attrs> permitted_attrs(const Context& context, const AttrsTarget& target, const core::Attrs& wanted);

}  // namespace host::vfs
