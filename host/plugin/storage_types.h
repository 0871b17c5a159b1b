// SPDX-License-Identifier: Apache-2.0
//
// What goes into and comes out of storage calls.
#pragma once

#include <cstdint>
#include <string>

#include "host/core/attrs.h"

namespace host::plugin {

// Context of one call.
struct Op {
  std::uint64_t session_id = 0;
  std::uint64_t request_id = 0;
  std::int64_t deadline_ns = 0;  // monotonic clock, 0: none
  bool nowait = false;
};

// Flags of FsCaps and OpenArgs equal SP_FS_* and SP_OPEN_* (checked in convert.cpp).
struct FsCaps {
  enum Flag : std::uint64_t {
    kRandomWrite = 0x1,
    kReadWrite = 0x2,
    kParallelIo = 0x4,
    kNowaitRead = 0x8,
    kNowaitWrite = 0x10,
    kResume = 0x20,
    kRenameReplace = 0x40,
    kAtomicRename = 0x80,
    kRealDirs = 0x100,
    kSymlinks = 0x200,
    kSetTimes = 0x400,
    kSetPerms = 0x800,
    kSetOwner = 0x1000,
    kTruncate = 0x2000,
    kPublishOnClose = 0x4000,
    kCaseInsensitive = 0x8000,
  };
  std::uint64_t flags = 0;
  std::uint32_t max_inflight = 1;
  std::uint64_t write_part = 0;
  // From the extensions the mount offers:
  bool statvfs = false, hard_link = false, copy_range = false, owner_names = false, tree = false;

  bool has(Flag flag) const { return (flags & flag) != 0; }
};

struct OpenArgs {
  enum Flag : std::uint32_t { kRead = 1, kWrite = 2, kCreate = 4, kExclusive = 8, kTruncate = 16, kAppend = 32 };
  std::uint32_t flags = 0;
  const core::Attrs* attrs = nullptr;  // of a new file
  std::uint64_t size_hint = 0;
};

struct StatVfs {
  std::uint64_t bsize = 0, frsize = 0, blocks = 0, bfree = 0, bavail = 0, files = 0, ffree = 0, favail = 0, fsid = 0,
                namemax = 0;
  bool read_only = false, no_suid = false;
};

struct MountArgs {
  std::uint32_t uid = core::Attrs::kKeep, gid = core::Attrs::kKeep;
  std::uint32_t umask = 022;
  std::uint64_t session_id = 0;
  bool follow_links = true;  // false: no operation follows a symbolic link
  bool make_root = true;     // false: a missing root stays missing, and operations say so
  std::string user, root, settings_json = "{}";
};

}  // namespace host::plugin
