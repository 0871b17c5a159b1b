// SPDX-License-Identifier: Apache-2.0
//
// Owns the mounted file systems of one session and finds the one a path belongs to. Any thread. Knows no rights.
#include "host/vfs/mounts.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace host::vfs {

Mounts::Mounts(std::vector<Mount> mounts) : mounts_(std::move(mounts)) {
  std::ranges::sort(mounts_, std::ranges::greater(), [](const Mount& mount) { return mount.at.str().size(); });
  // Without a mount at "/" some paths would have no home at all: a defect of the caller.
  if (mounts_.empty() || !mounts_.back().at.is_root()) std::abort();
}

const Mount& Mounts::at(const core::VirtualPath& path) const {
  for (const Mount& mount : mounts_) {
    if (path.is_within(mount.at)) return mount;
  }
  return mounts_.back();
}

Place Mounts::resolve(const core::VirtualPath& path) const {
  const Mount& mount = at(path);
  return {mount.fs.get(), {path.below(mount.at)}};
}

bool Mounts::leads_to_mount(const core::VirtualPath& path) const {
  return std::ranges::any_of(mounts_,
                             [&](const Mount& mount) { return !mount.at.is_root() && mount.at.is_within(path); });
}

std::vector<const Mount*> Mounts::in(const core::VirtualPath& directory) const {
  std::vector<const Mount*> found;
  for (const Mount& mount : mounts_) {
    if (!mount.at.is_root() && mount.at.parent() == directory) found.push_back(&mount);
  }
  return found;
}

void Mounts::cancel() const {
  for (const Mount& mount : mounts_) mount.fs->cancel();
}

}  // namespace host::vfs
