// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "host/vfs/session_fs.h"

namespace host::scp {

// The paths that match, sorted; '*', '?' and '[...]' as in fnmatch(3), in any component, none of them matching a
// leading dot or '/'. Directories that may not be listed have no matches. kFull beyond kMaxWildcardMatches. May block.
core::Result<std::vector<core::VirtualPath>> expand_wildcards(vfs::SessionFs& fs, const core::VirtualPath& pattern);

}  // namespace host::scp
