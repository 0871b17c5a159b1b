// SPDX-License-Identifier: Apache-2.0
//
// Storage as the host sees it: thin owners of a plugin's storage objects. Every call may block and belongs on the
// storage's worker pool, except those marked [quick]. Errors of plugins arrive as core::Error with text for the log.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "host/core/attrs.h"
#include "host/core/result.h"
#include "host/core/vpath.h"
#include "host/core/worker_pool.h"
#include "host/plugin/storage_stats.h"
#include "host/plugin/storage_types.h"

struct sp_storage;
struct sp_fs;
struct sp_file;
struct sp_dir;

namespace host::plugin {

class File {
 public:
  File(sp_file* file, std::uint64_t caps_flags, StorageStats& stats)
      : file_(file), caps_flags_(caps_flags), stats_(stats) {}
  ~File();  // closes with abort when nobody closed it
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Bytes read; 0 is the end. Neither this nor write_at allocates when it succeeds.
  // With op.nowait: kWouldBlock instead of blocking [quick].
  core::Result<std::size_t> read_at(const Op& op, std::span<std::byte> into, std::uint64_t offset);
  core::Result<void> write_at(const Op& op, std::span<const std::byte> data, std::uint64_t offset);
  core::Result<core::Attrs> stat(const Op& op);
  core::Result<void> set_attrs(const Op& op, const core::Attrs& attrs);
  core::Result<void> sync(const Op& op);
  core::Result<std::uint64_t> copy_range(const Op& op, std::uint64_t from, std::uint64_t length, File& to,
                                         std::uint64_t to_offset);
  core::Result<void> close(const Op& op, bool commit);  // once; nothing after it

 private:
  sp_file* file_;
  const std::uint64_t caps_flags_;
  StorageStats& stats_;
};

class Dir {
 public:
  Dir(sp_dir* dir, StorageStats& stats) : dir_(dir), stats_(stats) {}
  ~Dir();
  Dir(const Dir&) = delete;
  Dir& operator=(const Dir&) = delete;

  // False from `take`: no room, offer the entry again in the next call. True result: nothing is left.
  using Take = std::function<bool(std::string_view name, const core::Attrs& attrs)>;
  core::Result<bool> next(const Op& op, std::uint32_t max, const Take& take);

 private:
  sp_dir* dir_;
  StorageStats& stats_;
};

class Storage;

// One user's mount in one session. Its files and directories must be gone before it.
class Fs {
 public:
  ~Fs();
  Fs(const Fs&) = delete;
  Fs& operator=(const Fs&) = delete;

  const FsCaps& caps() const { return caps_; }  // [quick]
  core::WorkerPool& pool() const;               // [quick]
  StorageStats& stats() const;                  // [quick]
  core::Result<core::Attrs> stat(const Op& op, const core::BackendPath& path, bool follow);
  core::Result<void> set_attrs(const Op& op, const core::BackendPath& path, bool follow, const core::Attrs& attrs);
  core::Result<std::unique_ptr<File>> open(const Op& op, const core::BackendPath& path, const OpenArgs& args);
  core::Result<std::unique_ptr<Dir>> open_dir(const Op& op, const core::BackendPath& path);
  // All files below it, with paths for names; only where caps().tree says so.
  core::Result<std::unique_ptr<Dir>> open_tree(const Op& op, const core::BackendPath& path);
  core::Result<void> mkdir(const Op& op, const core::BackendPath& path, const core::Attrs* attrs);
  core::Result<void> remove_file(const Op& op, const core::BackendPath& path);
  core::Result<void> remove_dir(const Op& op, const core::BackendPath& path);
  struct Rename {
    bool replace = false;
    bool only_directory = false;  // anything else: kNotDir
  };
  core::Result<void> rename(const Op& op, const core::BackendPath& from, const core::BackendPath& to, Rename how);
  core::Result<void> symlink(const Op& op, std::string_view target, const core::BackendPath& link);
  core::Result<std::string> read_link(const Op& op, const core::BackendPath& path);
  core::Result<void> hard_link(const Op& op, const core::BackendPath& from, const core::BackendPath& to);
  core::Result<StatVfs> statvfs(const Op& op, const core::BackendPath& path);
  core::Result<std::string> user_name(std::uint32_t uid);
  core::Result<std::string> group_name(std::uint32_t gid);
  const std::string& storage_name() const;                     // [quick]
  std::string real_path(const core::BackendPath& path) const;  // for the operator's log only [quick]
  // The mount as a directory of this machine, for programs of the system; kUnsupported where it is none. [quick]
  core::Result<std::string> local_root() const;
  void cancel();  // the session is gone: plugins see it in sp_host.cancelled and may give up [quick]

 private:
  friend class Storage;
  Fs(std::shared_ptr<Storage> storage, MountArgs args);
  void adopt(sp_fs* fs);
  core::Result<void> remove(const Op& op, const core::BackendPath& path, std::uint32_t kind);
  template <class Open>
  core::Result<std::unique_ptr<Dir>> opened(const Op& op, const core::BackendPath& path, Open call);
  struct Extensions;
  std::shared_ptr<Storage> storage_;
  MountArgs args_;  // the plugin borrows its strings until unmount
  sp_fs* fs_ = nullptr;
  std::atomic<bool> cancelled_ = false;
  FsCaps caps_;
  std::unique_ptr<Extensions> extensions_;
};

// One configured backend with its own worker pool. Made by the Registry.
class Storage : public std::enable_shared_from_this<Storage> {
 public:
  Storage(std::string name, sp_storage* storage);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  const std::string& name() const { return name_; }
  core::WorkerPool& pool() { return pool_; }
  StorageStats& stats() { return stats_; }
  core::Result<std::unique_ptr<Fs>> mount(const Op& op, MountArgs args);
  std::optional<FsCaps> last_caps() const;  // what the last mount could do [quick]

 private:
  std::string name_;
  sp_storage* storage_;
  StorageStats stats_;
  mutable std::mutex mutex_;
  std::optional<FsCaps> last_caps_;  // under mutex_
  core::WorkerPool pool_;
};

}  // namespace host::plugin
