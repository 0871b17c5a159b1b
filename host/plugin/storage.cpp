// SPDX-License-Identifier: Apache-2.0
//
// Mounts of a storage plugin and the calls on paths. Runs on the storage's workers; what is marked [quick] on any
// thread. Refuses what a mount's capabilities rule out before the plugin sees it. Must not know who asks, or virtual
// paths.
#include "host/plugin/storage.h"

#include <sallyport/ext/storage_ext.h>
#include <sallyport/storage.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "host/core/limits.h"
#include "host/plugin/convert.h"
#include "host/plugin/error.h"
#include "host/plugin/host_services.h"
#include "host/plugin/slots.h"

namespace host::plugin {

using core::BackendPath;
using core::Result;

// Asked for once per mount; NULL where the plugin has none.
struct Fs::Extensions {
  const sp_ext_statvfs* statvfs = nullptr;
  const sp_ext_hard_link* hard_link = nullptr;
  const sp_ext_copy_range* copy_range = nullptr;
  const sp_ext_tree* tree = nullptr;
  const sp_ext_real_path* real_path = nullptr;
  const sp_ext_local_root* local_root = nullptr;
  const sp_ext_owner_names* owner_names = nullptr;

  explicit Extensions(sp_fs* fs) {
    if (!SP_HAS(sp_fs_ops, fs->ops, extension)) return;
    const auto ask = [fs](const char* id, auto*& table, auto... slots) {
      using Table = std::remove_reference_t<decltype(table)>;
      table = static_cast<Table>(fs->ops->extension(fs, id));
      // A table with a hole counts as absent.
      if (table != nullptr && ((table->*slots == nullptr) || ...)) table = nullptr;
    };
    ask(SP_EXT_STATVFS, statvfs, &sp_ext_statvfs::statvfs);
    ask(SP_EXT_HARD_LINK, hard_link, &sp_ext_hard_link::link);
    ask(SP_EXT_COPY_RANGE, copy_range, &sp_ext_copy_range::copy);
    ask(SP_EXT_TREE, tree, &sp_ext_tree::open_tree);
    ask(SP_EXT_REAL_PATH, real_path, &sp_ext_real_path::real_path);
    ask(SP_EXT_LOCAL_ROOT, local_root, &sp_ext_local_root::local_root);
    ask(SP_EXT_OWNER_NAMES, owner_names, &sp_ext_owner_names::user_name, &sp_ext_owner_names::group_name);
  }
};

Storage::Storage(std::string name, sp_storage* storage)
    : name_(std::move(name)),
      storage_(storage),
      pool_(name_, core::limits::kStoragePoolThreads, core::limits::kStoragePoolQueue,
            {core::limits::kSlowStorageCalls, core::limits::kSlowStorageCall}) {}

Storage::~Storage() {
  pool_.stop();
  storage_->ops->destroy(storage_);
}

Result<std::unique_ptr<Fs>> Storage::mount(const Op& op, MountArgs args) {
  // The plugin borrows the strings until unmount, so they must be where they stay before it sees them.
  std::unique_ptr<Fs> fs(new Fs(shared_from_this(), std::move(args)));
  const MountArgs& kept = fs->args_;
  sp_mount_args raw{};
  raw.struct_size = sizeof raw;
  raw.uid = kept.uid;
  raw.gid = kept.gid;
  raw.umask = kept.umask;
  raw.session_id = kept.session_id;
  raw.user = to_c(std::string_view(kept.user));
  raw.root = to_c(std::string_view(kept.root));
  raw.settings = to_c(std::string_view(kept.settings_json));
  raw.flags = (kept.follow_links ? 0 : SP_MOUNT_NO_LINKS) | (kept.make_root ? 0 : SP_MOUNT_AS_FOUND);

  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  sp_fs* mounted = nullptr;
  const auto status =
      stats_.timed(Call::kMount, [&] { return storage_->ops->mount(storage_, &raw_op, &raw, &mounted, error.out()); });
  if (status != SP_OK) return to_error(status, error, name_);
  if (auto whole = check_slots(mounted); !whole) {
    if (mounted != nullptr && mounted->ops != nullptr && SP_HAS(sp_fs_ops, mounted->ops, unmount))
      mounted->ops->unmount(mounted);
    return core::Error(whole.error().status, name_ + ": " + whole.error().text);
  }
  fs->adopt(mounted);
  const std::lock_guard lock(mutex_);
  last_caps_ = fs->caps();
  return fs;
}

std::optional<FsCaps> Storage::last_caps() const {
  const std::lock_guard lock(mutex_);
  return last_caps_;
}

Fs::Fs(std::shared_ptr<Storage> storage, MountArgs args) : storage_(std::move(storage)), args_(std::move(args)) {}

void Fs::adopt(sp_fs* fs) {
  fs_ = fs;
  sp_fs_caps raw{};
  raw.struct_size = sizeof raw;
  fs->ops->caps(fs, &raw);
  extensions_ = std::make_unique<Extensions>(fs);
  caps_.flags = raw.flags;
  caps_.max_inflight = std::max(raw.max_inflight, 1u);
  caps_.write_part = raw.write_part;
  caps_.statvfs = extensions_->statvfs != nullptr;
  caps_.hard_link = extensions_->hard_link != nullptr;
  caps_.copy_range = extensions_->copy_range != nullptr;
  caps_.tree = extensions_->tree != nullptr;
  caps_.owner_names = extensions_->owner_names != nullptr;
}

Fs::~Fs() {
  if (fs_ != nullptr) fs_->ops->unmount(fs_);
  if (cancelled_) forget_cancelled(args_.session_id);
}

void Fs::cancel() {
  if (!cancelled_.exchange(true)) mark_cancelled(args_.session_id);
}

core::WorkerPool& Fs::pool() const { return storage_->pool(); }

StorageStats& Fs::stats() const { return storage_->stats(); }
const std::string& Fs::storage_name() const { return storage_->name(); }

Result<core::Attrs> Fs::stat(const Op& op, const BackendPath& path, bool follow) {
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  sp_attrs attrs{};
  attrs.struct_size = sizeof attrs;
  const auto status = stats().timed(Call::kStat, [&] {
    return fs_->ops->stat(fs_, &raw_op, to_c(path.text), follow ? 0 : SP_STAT_NOFOLLOW, &attrs, error.out());
  });
  if (status != SP_OK) return to_error(status, error);
  return to_attrs(attrs);
}

Result<void> Fs::set_attrs(const Op& op, const BackendPath& path, bool follow, const core::Attrs& attrs) {
  if (auto allowed = check_settable(caps_.flags, attrs); !allowed) return allowed;
  if (!SP_HAS(sp_fs_ops, fs_->ops, set_attrs)) return unsupported("setting attributes");
  const sp_op raw_op = to_c(op);
  const sp_attrs raw_attrs = to_c(attrs);
  ErrorSlot error;
  return to_result(stats().timed(Call::kSetAttrs,
                                 [&] {
                                   return fs_->ops->set_attrs(fs_, &raw_op, to_c(path.text),
                                                              follow ? 0 : SP_STAT_NOFOLLOW, &raw_attrs, error.out());
                                 }),
                   error);
}

Result<std::unique_ptr<File>> Fs::open(const Op& op, const BackendPath& path, const OpenArgs& args) {
  const bool reads = (args.flags & OpenArgs::kRead) != 0;
  const bool writes = (args.flags & OpenArgs::kWrite) != 0;
  if (reads && writes && !caps_.has(FsCaps::kReadWrite)) return unsupported("one handle to read and write");
  if ((args.flags & OpenArgs::kAppend) != 0 && !caps_.has(FsCaps::kResume)) return unsupported("appending");

  sp_attrs attrs{};
  if (args.attrs != nullptr) attrs = to_c(*args.attrs);
  sp_open_args raw{};
  raw.struct_size = sizeof raw;
  raw.flags = args.flags;
  raw.attrs = args.attrs != nullptr ? &attrs : nullptr;
  raw.size_hint = args.size_hint;

  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  sp_file* file = nullptr;
  const auto status = stats().timed(
      Call::kOpen, [&] { return fs_->ops->open(fs_, &raw_op, to_c(path.text), &raw, &file, error.out()); });
  if (status != SP_OK) return to_error(status, error);
  if (auto whole = check_slots(file, reads, writes); !whole) {
    if (file != nullptr && file->ops != nullptr && SP_HAS(sp_file_ops, file->ops, close)) {
      file->ops->close(file, &raw_op, SP_CLOSE_ABORT, error.out());
    }
    return whole.error();
  }
  return std::make_unique<File>(file, caps_.flags, stats());
}

template <class Open>
Result<std::unique_ptr<Dir>> Fs::opened(const Op& op, const BackendPath& path, Open call) {
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  sp_dir* dir = nullptr;
  const auto status =
      stats().timed(Call::kOpenDir, [&] { return call(fs_, &raw_op, to_c(path.text), &dir, error.out()); });
  if (status != SP_OK) return to_error(status, error);
  if (auto whole = check_slots(dir); !whole) {
    if (dir != nullptr && dir->ops != nullptr && SP_HAS(sp_dir_ops, dir->ops, close)) dir->ops->close(dir);
    return whole.error();
  }
  return std::make_unique<Dir>(dir, stats());
}

Result<std::unique_ptr<Dir>> Fs::open_dir(const Op& op, const BackendPath& path) {
  return opened(op, path, fs_->ops->open_dir);
}

Result<std::unique_ptr<Dir>> Fs::open_tree(const Op& op, const BackendPath& path) {
  if (extensions_->tree == nullptr) return unsupported("listing a tree");
  return opened(op, path, extensions_->tree->open_tree);
}

Result<void> Fs::mkdir(const Op& op, const BackendPath& path, const core::Attrs* attrs) {
  if (!SP_HAS(sp_fs_ops, fs_->ops, mkdir)) return unsupported("making directories");
  const sp_op raw_op = to_c(op);
  const sp_attrs raw_attrs = attrs != nullptr ? to_c(*attrs) : sp_attrs{};
  ErrorSlot error;
  return to_result(stats().timed(Call::kMkdir,
                                 [&] {
                                   return fs_->ops->mkdir(fs_, &raw_op, to_c(path.text),
                                                          attrs != nullptr ? &raw_attrs : nullptr, error.out());
                                 }),
                   error);
}

Result<void> Fs::remove(const Op& op, const BackendPath& path, std::uint32_t kind) {
  if (!SP_HAS(sp_fs_ops, fs_->ops, remove)) return unsupported("removing");
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  return to_result(
      stats().timed(Call::kRemove, [&] { return fs_->ops->remove(fs_, &raw_op, to_c(path.text), kind, error.out()); }),
      error);
}

Result<void> Fs::remove_file(const Op& op, const BackendPath& path) { return remove(op, path, SP_REMOVE_FILE); }

Result<void> Fs::remove_dir(const Op& op, const BackendPath& path) { return remove(op, path, SP_REMOVE_DIR); }

Result<void> Fs::rename(const Op& op, const BackendPath& from, const BackendPath& to, Rename how) {
  if (!SP_HAS(sp_fs_ops, fs_->ops, rename)) return unsupported("renaming");
  const std::uint32_t flags = (how.replace ? SP_RENAME_REPLACE : 0U) | (how.only_directory ? SP_RENAME_ONLY_DIR : 0U);
  if (how.replace && !caps_.has(FsCaps::kRenameReplace)) return unsupported("renaming over an existing file");
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  return to_result(
      stats().timed(Call::kRename,
                    [&] { return fs_->ops->rename(fs_, &raw_op, to_c(from.text), to_c(to.text), flags, error.out()); }),
      error);
}

Result<void> Fs::symlink(const Op& op, std::string_view target, const BackendPath& link) {
  if (!SP_HAS(sp_fs_ops, fs_->ops, symlink) || !caps_.has(FsCaps::kSymlinks))
    return unsupported("making symbolic links");
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  return to_result(
      stats().timed(Call::kLink,
                    [&] { return fs_->ops->symlink(fs_, &raw_op, to_c(target), to_c(link.text), error.out()); }),
      error);
}

Result<std::string> Fs::read_link(const Op& op, const BackendPath& path) {
  if (!SP_HAS(sp_fs_ops, fs_->ops, read_link) || !caps_.has(FsCaps::kSymlinks))
    return unsupported("reading symbolic links");
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  TextSink text(core::limits::kMaxPathBytes);
  const sp_sink sink = text.sink();
  const auto status = stats().timed(
      Call::kLink, [&] { return fs_->ops->read_link(fs_, &raw_op, to_c(path.text), &sink, error.out()); });
  if (status != SP_OK) return to_error(status, error);
  return text.take();
}

Result<void> Fs::hard_link(const Op& op, const BackendPath& from, const BackendPath& to) {
  if (!caps_.hard_link) return unsupported("making hard links");
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  return to_result(
      stats().timed(
          Call::kLink,
          [&] { return extensions_->hard_link->link(fs_, &raw_op, to_c(from.text), to_c(to.text), error.out()); }),
      error);
}

Result<StatVfs> Fs::statvfs(const Op& op, const BackendPath& path) {
  if (!caps_.statvfs) return unsupported("telling free space");
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  sp_statvfs raw{};
  raw.struct_size = sizeof raw;
  const auto status = stats().timed(
      Call::kStatvfs, [&] { return extensions_->statvfs->statvfs(fs_, &raw_op, to_c(path.text), &raw, error.out()); });
  if (status != SP_OK) return to_error(status, error);
  return to_statvfs(raw);
}

Result<std::string> Fs::user_name(std::uint32_t uid) {
  if (!caps_.owner_names) return unsupported("naming owners");
  ErrorSlot error;
  TextSink text(core::limits::kMaxPathBytes);
  const sp_sink sink = text.sink();
  const auto status = extensions_->owner_names->user_name(fs_, uid, &sink, error.out());
  if (status != SP_OK) return to_error(status, error);
  return text.take();
}

Result<std::string> Fs::group_name(std::uint32_t gid) {
  if (!caps_.owner_names) return unsupported("naming owners");
  ErrorSlot error;
  TextSink text(core::limits::kMaxPathBytes);
  const sp_sink sink = text.sink();
  const auto status = extensions_->owner_names->group_name(fs_, gid, &sink, error.out());
  if (status != SP_OK) return to_error(status, error);
  return text.take();
}

std::string Fs::real_path(const BackendPath& path) const {
  if (extensions_->real_path == nullptr) return path.text;
  ErrorSlot error;
  TextSink text(2 * core::limits::kMaxPathBytes);  // root and path
  const sp_sink sink = text.sink();
  if (extensions_->real_path->real_path(fs_, to_c(path.text), &sink, error.out()) != SP_OK) return path.text;
  return text.take();
}

Result<std::string> Fs::local_root() const {
  if (extensions_->local_root == nullptr) return unsupported("programs of the system");
  ErrorSlot error;
  TextSink text(core::limits::kMaxPathBytes);
  const sp_sink sink = text.sink();
  const auto status = extensions_->local_root->local_root(fs_, &sink, error.out());
  if (status != SP_OK) return to_error(status, error);
  return text.take();
}

}  // namespace host::plugin
