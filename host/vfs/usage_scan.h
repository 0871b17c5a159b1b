// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/vfs/context.h"

namespace host::vfs {

// Everything that the user's mounts hold: regular files and their bytes. May block for long; ends early with kCancelled
// when the session is cancelled.
core::Result<Usage> scan_usage(const Context& context);

}  // namespace host::vfs
