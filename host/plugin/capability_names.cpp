// SPDX-License-Identifier: Apache-2.0
//
// The flags of the ABI as words. An extension counts as much as a flag.
#include "host/plugin/capability_names.h"

namespace host::plugin {

std::vector<std::string> capability_names(const FsCaps& caps) {
  using Caps = FsCaps;
  constexpr struct {
    Caps::Flag flag;
    const char* word;
  } kFlags[] = {
      {Caps::kRandomWrite, "random-write"},
      {Caps::kReadWrite, "read-write"},
      {Caps::kParallelIo, "parallel-io"},
      {Caps::kNowaitRead, "nowait-read"},
      {Caps::kNowaitWrite, "nowait-write"},
      {Caps::kResume, "resume"},
      {Caps::kRenameReplace, "rename-replace"},
      {Caps::kAtomicRename, "atomic-rename"},
      {Caps::kRealDirs, "real-dirs"},
      {Caps::kSymlinks, "symlinks"},
      {Caps::kSetTimes, "set-times"},
      {Caps::kSetPerms, "set-perms"},
      {Caps::kSetOwner, "set-owner"},
      {Caps::kTruncate, "truncate"},
      {Caps::kPublishOnClose, "publish-on-close"},
      {Caps::kCaseInsensitive, "case-insensitive"},
  };
  std::vector<std::string> names;
  const auto add = [&](bool have, std::string name) {
    if (have) names.push_back(std::move(name));
  };
  for (const auto& [flag, word] : kFlags) add(caps.has(flag), word);
  add(caps.statvfs, "statvfs");
  add(caps.hard_link, "hard-link");
  add(caps.copy_range, "copy-range");
  add(caps.tree, "tree");
  add(caps.owner_names, "owner-names");
  add(true, "max-inflight " + std::to_string(caps.max_inflight));
  add(caps.write_part > 0, "write-part " + std::to_string(caps.write_part));
  return names;
}

}  // namespace host::plugin
