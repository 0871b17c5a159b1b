// SPDX-License-Identifier: Apache-2.0
//
// Field-by-field translation of storage structs, and the proof that flag numbers agree on both sides. Any thread; no
// state. Must not know who calls.
#include "host/plugin/convert.h"

#include <utility>

#include "host/plugin/error.h"

namespace host::plugin {

using core::Attrs;
using core::FileType;

// Flags cross without a table, so the numbers must agree.
#define SAME(host_value, c_value) static_assert(static_cast<std::uint64_t>(host_value) == (c_value))
SAME(FsCaps::kRandomWrite, SP_FS_RANDOM_WRITE);
SAME(FsCaps::kReadWrite, SP_FS_READ_WRITE);
SAME(FsCaps::kParallelIo, SP_FS_PARALLEL_IO);
SAME(FsCaps::kNowaitRead, SP_FS_NOWAIT_READ);
SAME(FsCaps::kNowaitWrite, SP_FS_NOWAIT_WRITE);
SAME(FsCaps::kResume, SP_FS_RESUME);
SAME(FsCaps::kRenameReplace, SP_FS_RENAME_REPLACE);
SAME(FsCaps::kAtomicRename, SP_FS_ATOMIC_RENAME);
SAME(FsCaps::kRealDirs, SP_FS_REAL_DIRS);
SAME(FsCaps::kSymlinks, SP_FS_SYMLINKS);
SAME(FsCaps::kSetTimes, SP_FS_SET_TIMES);
SAME(FsCaps::kSetPerms, SP_FS_SET_PERMS);
SAME(FsCaps::kSetOwner, SP_FS_SET_OWNER);
SAME(FsCaps::kTruncate, SP_FS_TRUNCATE);
SAME(FsCaps::kPublishOnClose, SP_FS_PUBLISH_ON_CLOSE);
SAME(FsCaps::kCaseInsensitive, SP_FS_CASE_INSENSITIVE);
SAME(OpenArgs::kRead, SP_OPEN_READ);
SAME(OpenArgs::kWrite, SP_OPEN_WRITE);
SAME(OpenArgs::kCreate, SP_OPEN_CREATE);
SAME(OpenArgs::kExclusive, SP_OPEN_EXCLUSIVE);
SAME(OpenArgs::kTruncate, SP_OPEN_TRUNCATE);
SAME(OpenArgs::kAppend, SP_OPEN_APPEND);
SAME(Attrs::kType, SP_ATTR_TYPE);
SAME(Attrs::kPerms, SP_ATTR_PERMS);
SAME(Attrs::kOwner, SP_ATTR_OWNER);
SAME(Attrs::kSize, SP_ATTR_SIZE);
SAME(Attrs::kMtime, SP_ATTR_MTIME);
SAME(Attrs::kAtime, SP_ATTR_ATIME);
SAME(Attrs::kNlink, SP_ATTR_NLINK);
SAME(FileType::kFile, SP_TYPE_FILE);
SAME(FileType::kDir, SP_TYPE_DIR);
SAME(FileType::kSymlink, SP_TYPE_SYMLINK);
SAME(FileType::kOther, SP_TYPE_OTHER);
#undef SAME

namespace {

constexpr std::uint32_t kKnownAttrs =
    SP_ATTR_TYPE | SP_ATTR_PERMS | SP_ATTR_OWNER | SP_ATTR_SIZE | SP_ATTR_MTIME | SP_ATTR_ATIME | SP_ATTR_NLINK;

}  // namespace

sp_attrs to_c(const Attrs& attrs) {
  sp_attrs out{};
  out.struct_size = sizeof out;
  out.valid = attrs.valid;
  out.type = static_cast<std::uint32_t>(attrs.type);
  out.perms = attrs.perms;
  out.uid = attrs.uid;
  out.gid = attrs.gid;
  out.size = attrs.size;
  out.mtime_ns = attrs.mtime_ns;
  out.atime_ns = attrs.atime_ns;
  out.nlink = attrs.nlink;
  return out;
}

Attrs to_attrs(const sp_attrs& attrs) {
  Attrs out;
  if (attrs.struct_size < sizeof attrs) return out;
  out.valid = attrs.valid & kKnownAttrs;
  if (out.has(Attrs::kType)) {
    out.type = attrs.type >= SP_TYPE_FILE && attrs.type <= SP_TYPE_OTHER ? static_cast<FileType>(attrs.type)
                                                                         : FileType::kOther;
  }
  if (out.has(Attrs::kPerms)) out.perms = attrs.perms & 07777u;
  if (out.has(Attrs::kOwner)) {
    out.uid = attrs.uid;
    out.gid = attrs.gid;
  }
  if (out.has(Attrs::kSize)) out.size = attrs.size;
  if (out.has(Attrs::kMtime)) out.mtime_ns = attrs.mtime_ns;
  if (out.has(Attrs::kAtime)) out.atime_ns = attrs.atime_ns;
  if (out.has(Attrs::kNlink)) out.nlink = attrs.nlink;
  return out;
}

core::Result<void> check_settable(std::uint64_t caps_flags, const core::Attrs& attrs) {
  const auto needs = [&](Attrs::Valid bit, FsCaps::Flag flag) { return attrs.has(bit) && (caps_flags & flag) == 0; };
  if (needs(Attrs::kSize, FsCaps::kTruncate)) return unsupported("setting a file's size");
  if (needs(Attrs::kPerms, FsCaps::kSetPerms)) return unsupported("setting permissions");
  if (needs(Attrs::kOwner, FsCaps::kSetOwner)) return unsupported("setting an owner");
  if (needs(Attrs::kMtime, FsCaps::kSetTimes) || needs(Attrs::kAtime, FsCaps::kSetTimes))
    return unsupported("setting times");
  return core::ok();
}

StatVfs to_statvfs(const sp_statvfs& raw) {
  StatVfs out;
  out.bsize = raw.bsize;
  out.frsize = raw.frsize;
  out.blocks = raw.blocks;
  out.bfree = raw.bfree;
  out.bavail = raw.bavail;
  out.files = raw.files;
  out.ffree = raw.ffree;
  out.favail = raw.favail;
  out.fsid = raw.fsid;
  out.namemax = raw.namemax;
  out.read_only = (raw.flags & SP_STATVFS_RDONLY) != 0;
  out.no_suid = (raw.flags & SP_STATVFS_NOSUID) != 0;
  return out;
}

sp_status SP_CALL TextSink::write(void* self, sp_bytes part) noexcept {
  auto& sink = *static_cast<TextSink*>(self);
  if (part.ptr == nullptr || part.len == 0) return SP_OK;
  if (part.len > sink.limit_ - sink.text_.size()) return SP_E_FULL;
  try {
    sink.text_.append(static_cast<const char*>(part.ptr), part.len);
  } catch (...) {
    return SP_E_INTERNAL;
  }
  return SP_OK;
}

}  // namespace host::plugin
