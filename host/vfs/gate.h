// SPDX-License-Identifier: Apache-2.0
//
// The permission gate: which right an operation needs and for which path it is looked up. Purely lexical, so a symbolic
// link is judged by its own place, not by what it points to. Any thread; immutable.
#pragma once

#include <cstdint>

#include "host/core/result.h"
#include "host/core/vpath.h"
#include "host/users/user.h"

namespace host::vfs {

enum class Action : std::uint8_t {
  kStat,  // also read_link and statvfs
  kListDir,
  kMakeDir,
  kRemove,  // files and directories
  kSymlink,
  kTruncate,
  kChmod,
  kChown,
  kChtimes,
};

class Gate {
 public:
  // The user outlives the gate. `lax_rename`: the replaced system's rule for renames.
  explicit Gate(const users::User& user, bool lax_rename = false) : user_(&user), lax_rename_(lax_rename) {}

  // `is_dir` matters to kChmod, kChown and kChtimes only: a directory is looked up by its parent, a file by itself.
  core::Result<void> check(Action action, const core::VirtualPath& path, bool is_dir = false) const;
  // Does `is_dir` change the answer for this path?
  bool type_matters(const core::VirtualPath& path) const;

  // Rights that decide how `path` may be opened.
  std::uint32_t rights_to_open(const core::VirtualPath& path) const { return user_->permissions_in(path.parent()); }

  // Needs `rename` on both parents, and no entry at or below `from` may lose a restriction by the move; by the lax rule
  // only `rename` on the target's.
  core::Result<void> check_rename(const core::VirtualPath& from, const core::VirtualPath& to) const;
  // Whether an existing target of a rename may be replaced.
  bool may_replace(const core::VirtualPath& to) const;

  // A hard link is a second name for the same bytes: needs create_symlinks where the name goes, download where the
  // file is, and the new place must not allow anything with the content that the old one does not.
  core::Result<void> check_hard_link(const core::VirtualPath& from, const core::VirtualPath& to) const;

 private:
  const users::User* user_;
  bool lax_rename_;
};

}  // namespace host::vfs
