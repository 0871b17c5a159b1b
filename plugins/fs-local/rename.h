// SPDX-License-Identifier: Apache-2.0
//
// Renaming that never replaces. Both return false and leave errno (EEXIST: the target is there) on failure.
#pragma once

namespace fs_local {

bool rename_exclusive(int from_dir, const char* from, int to_dir, const char* to);

// The same for file systems that have no such call. Files have both names for a moment; nothing is ever lost.
bool rename_exclusive_by_hand(int from_dir, const char* from, int to_dir, const char* to);

}  // namespace fs_local
