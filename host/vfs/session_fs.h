// SPDX-License-Identifier: Apache-2.0
//
// What one logged-in user may do with files: virtual path -> mount + path, permission gate, transfers, log lines.
// The protocols stand on this alone. One object per SSH connection, shared by its channels. Calls may block and belong
// on the pool of the path or file concerned, except those marked [quick], which any thread may make.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "host/core/attrs.h"
#include "host/core/result.h"
#include "host/core/vpath.h"
#include "host/core/worker_pool.h"
#include "host/plugin/registry.h"
#include "host/vfs/identity.h"
#include "host/vfs/program_access.h"

namespace host::vfs {

using core::Attrs;
using core::Result;
using core::VirtualPath;

struct OpenRequest {
  bool read = false, write = false, create = false, exclusive = false, truncate = false, append = false;
  bool digest = false;  // to read it for a checksum, which needs `list` only and leaves no transfer line
  Attrs attrs = {};     // of a new file; only its permissions count
};

// An open file. Not for several threads at once unless caps() has kParallelIo; a file opened to append never has it, so
// that its writes keep their order.
class OpenFile {
 public:
  virtual ~OpenFile() = default;                   // aborts what was not closed
  virtual core::WorkerPool& pool() = 0;            // [quick]
  virtual const plugin::FsCaps& caps() const = 0;  // [quick]
  virtual bool readable() const = 0;               // [quick]
  virtual bool writable() const = 0;               // [quick]
  virtual Result<std::size_t> read_at(std::span<std::byte> into, std::uint64_t offset) = 0;
  // As read_at, but kWouldBlock instead of waiting, and for every failure: read_at will meet it again. [quick]
  virtual Result<std::size_t> try_read_at(std::span<std::byte> into, std::uint64_t offset) = 0;
  virtual Result<void> write_at(std::span<const std::byte> data, std::uint64_t offset) = 0;
  virtual Result<Attrs> stat() = 0;
  virtual Result<void> set_attrs(const Attrs& attrs) = 0;
  virtual Result<void> sync() = 0;
  // As it is now, for copying to the end; needs no right of its own.
  virtual Result<std::uint64_t> size() = 0;
  // Copies up to length bytes into `to`; the number copied, less only at the end of the file.
  virtual Result<std::uint64_t> copy_to(OpenFile& to, std::uint64_t from, std::uint64_t length, std::uint64_t at) = 0;
  virtual Result<plugin::StatVfs> statvfs() = 0;
  // Commits a clean file, aborts one that failed or when `lost` says that the client went away; writes the transfer
  // line. Once, nothing after it.
  virtual Result<void> close(bool lost) = 0;
};

class OpenDir {
 public:
  virtual ~OpenDir() = default;
  virtual core::WorkerPool& pool() = 0;  // [quick]
  // As plugin::Dir::next; entries of virtual folders included. True: nothing is left.
  using Take = std::function<bool(std::string_view name, const Attrs& attrs)>;
  virtual Result<bool> next(std::uint32_t max, const Take& take) = 0;
};

// What the mount at a path can do, in the protocol's terms.
struct Features {
  bool symlinks = false, hard_links = false, statvfs = false, copy_data = false, owner_names = false,
       atomic_rename = false, sync = false, set_attrs = false;
};

class SessionFs {
 public:
  // Mounts the user's file system (and creates a missing home). May block.
  static Result<std::shared_ptr<SessionFs>> mount(plugin::Registry& registry, Identity identity,
                                                  const Options& options);
  // The pool on which mount() of this user belongs; kUnsupported or kNotFound when the storage cannot be had. Makes the
  // storage on first use: worker threads only.
  static Result<core::WorkerPool*> mount_pool(plugin::Registry& registry, const Identity& identity);
  virtual ~SessionFs() = default;
  // The same files for another protocol of the connection, by the name that lines about them give.
  static std::shared_ptr<SessionFs> for_protocol(const std::shared_ptr<SessionFs>& fs, std::string protocol);

  // The client is gone: storage calls under way may give up, files are still to be closed as lost. [quick]
  virtual void cancel() {}
  // Calls may wait for somebody's decision. [quick]
  virtual bool asks_before() const { return false; }
  virtual const Identity& identity() const = 0;                  // [quick]
  virtual core::WorkerPool& pool(const VirtualPath& path) = 0;   // [quick]
  virtual Features features(const VirtualPath& path) const = 0;  // [quick]
  virtual Result<Attrs> stat(const VirtualPath& path, bool follow) = 0;
  virtual Result<void> set_attrs(const VirtualPath& path, const Attrs& attrs, bool follow) = 0;
  virtual Result<std::unique_ptr<OpenFile>> open(const VirtualPath& path, const OpenRequest& request) = 0;
  virtual Result<std::unique_ptr<OpenDir>> open_dir(const VirtualPath& path) = 0;
  virtual Result<void> mkdir(const VirtualPath& path, const Attrs& attrs) = 0;
  virtual Result<void> rmdir(const VirtualPath& path) = 0;
  virtual Result<void> remove(const VirtualPath& path) = 0;
  virtual Result<void> rename(const VirtualPath& from, const VirtualPath& to, bool replace) = 0;
  // `target` as the client sent it: relative targets are relative to the link.
  virtual Result<void> symlink(std::string_view target, const VirtualPath& link) = 0;
  virtual Result<std::string> read_link(const VirtualPath& path) = 0;
  virtual Result<void> hard_link(const VirtualPath& from, const VirtualPath& to) = 0;
  virtual Result<plugin::StatVfs> statvfs(const VirtualPath& path) = 0;
  // Writes the line about an SSH command that was carried out. [quick]
  virtual void note_command(std::string_view command_line, const VirtualPath& path) = 0;
  virtual Result<ProgramAccessPtr> begin_program(const ProgramRequest&) { return core::Status::kUnsupported; }
  // All that the account holds, as quotas count it; whatever the user may see. Takes long.
  virtual Result<users::Usage> scan_usage() { return core::Status::kUnsupported; }
  // Name of a numeric owner at a path, or the number in digits.
  virtual std::string user_name(const VirtualPath& path, std::uint32_t uid) = 0;
  virtual std::string group_name(const VirtualPath& path, std::uint32_t gid) = 0;

 protected:
  virtual std::shared_ptr<SessionFs> view_for(std::string protocol) const = 0;
};

}  // namespace host::vfs
