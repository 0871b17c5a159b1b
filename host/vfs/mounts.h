// SPDX-License-Identifier: Apache-2.0
//
// Which storage a virtual path belongs to. Immutable after construction; any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/core/vpath.h"
#include "host/plugin/storage.h"

namespace host::vfs {

struct Mount {
  core::VirtualPath at;
  std::unique_ptr<plugin::Fs> fs;
};

// A path inside one mount. The storage belongs to the Mounts it came from.
struct Place {
  plugin::Fs* fs = nullptr;
  core::BackendPath path;

  std::string real_path() const { return fs->real_path(path); }
};

class Mounts {
 public:
  explicit Mounts(std::vector<Mount> mounts);  // one of them at "/"

  // The mount with the longest prefix, whole components compared.
  const Mount& at(const core::VirtualPath& path) const;
  Place resolve(const core::VirtualPath& path) const;
  const std::vector<Mount>& all() const { return mounts_; }
  // Is it a mounted folder, or a directory on the way to one? Such a name stays where it is.
  bool leads_to_mount(const core::VirtualPath& path) const;
  // The folders that are mounted right in `directory`.
  std::vector<const Mount*> in(const core::VirtualPath& directory) const;
  // Tells every storage that the session is over.
  void cancel() const;

 private:
  std::vector<Mount> mounts_;  // longest first, "/" last
};

}  // namespace host::vfs
