// SPDX-License-Identifier: Apache-2.0
//
// Every operation on a path: gate, capability, storage, log line, in this order. Runs on the workers of the mount
// concerned, several at once; holds no mutable state but the cache of owner names. Knows no protocol and no plugin
// header.
#include "host/vfs/session_fs.h"

#include <mutex>
#include <unordered_map>
#include <utility>

#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/vfs/context.h"
#include "host/vfs/journal.h"
#include "host/vfs/open_plan.h"
#include "host/vfs/set_attrs.h"
#include "host/vfs/transfer.h"

namespace host::vfs {
namespace {

using core::Status;
using plugin::FsCaps;

constexpr std::uint32_t kNewFilePerms = 0666;
constexpr std::uint32_t kNewDirPerms = 0777;

std::uint32_t mapped_id(std::int64_t id) {
  return id > 0 && id <= users::kMaxMappedId ? static_cast<std::uint32_t>(id) : Attrs::kKeep;
}

// Of what a client wants for something new only the permissions count, as in OpenSSH's server.
Attrs new_attrs(const Attrs& wanted, std::uint32_t default_perms, std::uint32_t umask) {
  Attrs attrs;
  attrs.valid = Attrs::kPerms;
  attrs.perms = (wanted.has(Attrs::kPerms) ? wanted.perms & 0777U : default_perms) & ~umask;
  return attrs;
}

class Listing final : public OpenDir {
 public:
  Listing(std::shared_ptr<const Context> context, Place place, std::unique_ptr<plugin::Dir> dir)
      : context_(std::move(context)), place_(std::move(place)), dir_(std::move(dir)) {}

  core::WorkerPool& pool() override { return place_.fs->pool(); }
  Result<bool> next(std::uint32_t max, const Take& take) override {
    auto at_end = dir_->next(context_->op(), max, take);
    if (!at_end) journal::failure(*context_, "list", place_, at_end.error());
    return at_end;
  }

 private:
  const std::shared_ptr<const Context> context_;  // outlives dir_
  const Place place_;
  const std::unique_ptr<plugin::Dir> dir_;
};

// Names of numeric owners seen in this session, so that a long listing asks once per owner. Bounded.
class NameCache {
 public:
  template <class Ask>
  std::string get(std::uint32_t id, Ask&& ask) {
    const std::lock_guard lock(mutex_);
    if (const auto known = names_.find(id); known != names_.end()) return known->second;
    auto answer = std::forward<Ask>(ask)();
    std::string name = answer ? *std::move(answer) : std::to_string(id);
    if (names_.size() < core::limits::kMaxOwnerNames) names_.emplace(id, name);
    return name;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint32_t, std::string> names_;
};

class MountedFs final : public SessionFs {
 public:
  MountedFs(std::vector<Mount> mounts, Identity identity, const Options& options)
      : context_(std::make_shared<const Context>(std::move(mounts), std::move(identity), options)) {}

  void cancel() override { context_->mounts.cancel(); }
  const Identity& identity() const override { return context_->identity; }
  core::WorkerPool& pool(const VirtualPath& path) override { return context_->mounts.at(path).fs->pool(); }
  Features features(const VirtualPath& path) const override;
  Result<Attrs> stat(const VirtualPath& path, bool follow) override;
  Result<void> set_attrs(const VirtualPath& path, const Attrs& attrs, bool follow) override;
  Result<std::unique_ptr<OpenFile>> open(const VirtualPath& path, const OpenRequest& request) override;
  Result<std::unique_ptr<OpenDir>> open_dir(const VirtualPath& path) override;
  Result<void> mkdir(const VirtualPath& path, const Attrs& attrs) override;
  Result<void> rmdir(const VirtualPath& path) override;
  Result<void> remove(const VirtualPath& path) override;
  Result<void> rename(const VirtualPath& from, const VirtualPath& to, bool replace) override;
  Result<void> symlink(std::string_view target, const VirtualPath& link) override;
  Result<std::string> read_link(const VirtualPath& path) override;
  Result<void> hard_link(const VirtualPath& from, const VirtualPath& to) override;
  Result<plugin::StatVfs> statvfs(const VirtualPath& path) override;
  std::string user_name(const VirtualPath& path, std::uint32_t uid) override;
  std::string group_name(const VirtualPath& path, std::uint32_t gid) override;

 private:
  plugin::Op op() const { return context_->op(); }
  Result<void> allowed(Action action, const VirtualPath& path) const { return context_->gate.check(action, path); }
  // Passes a storage's answer on; a failure that matters gets its line here.
  template <class T>
  Result<T> noted(std::string_view operation, const Place& place, Result<T> answer) const {
    if (!answer) journal::failure(*context_, operation, place, answer.error());
    return answer;
  }

  const std::shared_ptr<const Context> context_;
  NameCache users_, groups_;
};

Features MountedFs::features(const VirtualPath& path) const {
  const FsCaps& caps = context_->mounts.at(path).fs->caps();
  return {.symlinks = caps.has(FsCaps::kSymlinks),
          .hard_links = caps.hard_link,
          .statvfs = caps.statvfs,
          .copy_data = caps.copy_range || caps.has(FsCaps::kRandomWrite),
          .owner_names = caps.owner_names,
          .atomic_rename = caps.has(FsCaps::kAtomicRename) && caps.has(FsCaps::kRenameReplace)};
}

Result<Attrs> MountedFs::stat(const VirtualPath& path, bool follow) {
  if (auto may = allowed(Action::kStat, path); !may) return may.error();
  const Place place = context_->mounts.resolve(path);
  return noted("stat", place, place.fs->stat(op(), place.path, follow));
}

Result<void> MountedFs::set_attrs(const VirtualPath& path, const Attrs& attrs, bool follow) {
  const Place place = context_->mounts.resolve(path);
  const AttrsTarget target{path, place.fs->caps(), false, [&]() -> Result<bool> {
                             auto found = noted("stat", place, place.fs->stat(op(), place.path, follow));
                             if (!found) return found.error();
                             return found->type == core::FileType::kDir;
                           }};
  auto permitted = permitted_attrs(*context_, target, attrs);
  if (!permitted) return permitted.error();
  if (permitted->valid == 0) return core::ok();
  if (permitted->has(Attrs::kSize) && !context_->names.allows(path)) return Status::kDenied;
  auto done = noted("set attributes of", place, place.fs->set_attrs(op(), place.path, follow, *permitted));
  if (done) journal::attrs(*context_, place, *permitted);
  return done;
}

Result<std::unique_ptr<OpenFile>> MountedFs::open(const VirtualPath& path, const OpenRequest& request) {
  const Place place = context_->mounts.resolve(path);
  if (!context_->names.allows(path)) return Status::kDenied;
  auto plan = plan_open(request, context_->gate.rights_to_open(path), place.fs->caps());
  if (!plan) return plan.error();
  if (plan->flags == 0) {
    auto found = noted("stat", place, place.fs->stat(op(), place.path, true));
    if (!found) return found.error();
    return plan->if_exists;
  }
  const Attrs attrs = new_attrs(request.attrs, kNewFilePerms, context_->options.umask);
  const plugin::OpenArgs args{.flags = plan->flags, .attrs = &attrs};
  auto file = noted("open", place, place.fs->open(op(), place.path, args));
  if (file) return std::make_unique<Transfer>(context_, path, *std::move(file), *plan);
  switch (file.error().status) {
    case Status::kExists: return plan->if_exists;
    case Status::kNotFound: return plan->if_missing;
    default: return file.error();
  }
}

Result<std::unique_ptr<OpenDir>> MountedFs::open_dir(const VirtualPath& path) {
  if (auto may = allowed(Action::kListDir, path); !may) return may.error();
  Place place = context_->mounts.resolve(path);
  auto dir = noted("list", place, place.fs->open_dir(op(), place.path));
  if (!dir) return dir.error();
  return std::make_unique<Listing>(context_, std::move(place), *std::move(dir));
}

Result<void> MountedFs::mkdir(const VirtualPath& path, const Attrs& attrs) {
  if (auto may = allowed(Action::kMakeDir, path); !may) return may;
  const Place place = context_->mounts.resolve(path);
  const Attrs wanted = new_attrs(attrs, kNewDirPerms, context_->options.umask);
  auto done = noted("mkdir", place, place.fs->mkdir(op(), place.path, &wanted));
  if (done) journal::command(*context_, "Mkdir", place);
  return done;
}

Result<void> MountedFs::rmdir(const VirtualPath& path) {
  if (path.is_root()) return Status::kDenied;
  if (auto may = allowed(Action::kRemove, path); !may) return may;
  const Place place = context_->mounts.resolve(path);
  auto done = noted("rmdir", place, place.fs->remove_dir(op(), place.path));
  if (done) journal::command(*context_, "Rmdir", place);
  return done;
}

Result<void> MountedFs::remove(const VirtualPath& path) {
  if (auto may = allowed(Action::kRemove, path); !may) return may;
  if (!context_->names.allows(path)) return Status::kDenied;
  const Place place = context_->mounts.resolve(path);
  auto done = noted("remove", place, place.fs->remove_file(op(), place.path));
  if (done) journal::command(*context_, "Remove", place);
  return done;
}

Result<void> MountedFs::rename(const VirtualPath& from, const VirtualPath& to, bool replace) {
  if (auto may = context_->gate.check_rename(from, to); !may) return may;
  replace = replace || context_->options.lax_rename;
  const Place source = context_->mounts.resolve(from);
  const Place target = context_->mounts.resolve(to);
  // What is moved to where another filter holds is copied, so that every name in it is looked at.
  if (source.fs != target.fs || !context_->names.same_for_trees(from, to)) return Status::kCrossDevice;
  if (from == to) {
    auto found = noted("rename", source, source.fs->stat(op(), source.path, false));
    if (!found) return found.error();
    return core::ok();
  }
  // Who may not replace renames with "target must not exist", so that the storage decides without a gap in time.
  const bool may_replace = context_->gate.may_replace(to);
  const bool can_replace = source.fs->caps().has(FsCaps::kRenameReplace);
  // Filters are for files. That it is none must be seen in the same step, or it could become one in between.
  const bool only_directory = !context_->names.allows(from) || !context_->names.allows(to);
  const plugin::Fs::Rename how{.replace = replace && may_replace && can_replace, .only_directory = only_directory};
  auto done = noted("rename", source, source.fs->rename(op(), source.path, target.path, how));
  // Which of the two comes first depends on the system; a file's name is refused either way.
  if (!done && only_directory && (done.error().status == Status::kNotDir || done.error().status == Status::kExists)) {
    return Status::kDenied;
  }
  if (done) {
    journal::command(*context_, "Rename", source, target);
  } else if (replace && done.error().status == Status::kExists) {
    if (!may_replace) return Status::kDenied;
    if (!can_replace) return Status::kUnsupported;
  }
  return done;
}

Result<void> MountedFs::symlink(std::string_view target, const VirtualPath& link) {
  if (auto may = allowed(Action::kSymlink, link); !may) return may;
  const Place place = context_->mounts.resolve(link);
  if (!place.fs->caps().has(FsCaps::kSymlinks)) return Status::kUnsupported;
  if (target.empty() || VirtualPath::has_nul(target)) return Status::kInvalid;
  const VirtualPath meant = VirtualPath::clean(target, link.parent());
  if (meant.is_root()) return Status::kDenied;
  const Mount& mount = context_->mounts.at(link);
  const Place end = context_->mounts.resolve(meant);
  if (end.fs != place.fs) return Status::kCrossDevice;
  // Kept as it was sent, unless the mount's own root is not ours: then "absolute" means something else inside it.
  const bool as_sent = mount.at.is_root() || target.front() != '/';
  auto done = noted("symlink", place, place.fs->symlink(op(), as_sent ? target : end.path.text, place.path));
  if (done) journal::command(*context_, "Symlink", end, place);
  return done;
}

Result<std::string> MountedFs::read_link(const VirtualPath& path) {
  if (auto may = allowed(Action::kStat, path); !may) return may.error();
  const Mount& mount = context_->mounts.at(path);
  const Place place = context_->mounts.resolve(path);
  if (!place.fs->caps().has(FsCaps::kSymlinks)) return Status::kUnsupported;
  auto target = noted("read link", place, place.fs->read_link(op(), place.path));
  if (target && !mount.at.is_root() && target->starts_with('/')) target->insert(0, mount.at.str());
  return target;
}

Result<void> MountedFs::hard_link(const VirtualPath& from, const VirtualPath& to) {
  if (auto may = context_->gate.check_hard_link(from, to); !may) return may;
  if (!context_->names.allows(from) || !context_->names.allows(to)) return Status::kDenied;
  const Place source = context_->mounts.resolve(from);
  const Place target = context_->mounts.resolve(to);
  if (source.fs != target.fs) return Status::kCrossDevice;
  if (!source.fs->caps().hard_link) return Status::kUnsupported;
  auto done = noted("link", source, source.fs->hard_link(op(), source.path, target.path));
  if (done) journal::command(*context_, "Link", source, target);
  return done;
}

Result<plugin::StatVfs> MountedFs::statvfs(const VirtualPath& path) {
  if (auto may = allowed(Action::kStat, path); !may) return may.error();
  const Place place = context_->mounts.resolve(path);
  if (!place.fs->caps().statvfs) return Status::kUnsupported;
  return noted("statvfs of", place, place.fs->statvfs(op(), place.path));
}

std::string MountedFs::user_name(const VirtualPath& path, std::uint32_t uid) {
  plugin::Fs& fs = *context_->mounts.at(path).fs;
  if (!fs.caps().owner_names) return std::to_string(uid);
  return users_.get(uid, [&] { return fs.user_name(uid); });
}

std::string MountedFs::group_name(const VirtualPath& path, std::uint32_t gid) {
  plugin::Fs& fs = *context_->mounts.at(path).fs;
  if (!fs.caps().owner_names) return std::to_string(gid);
  return groups_.get(gid, [&] { return fs.group_name(gid); });
}

}  // namespace

std::shared_ptr<SessionFs> make_session_fs(std::vector<Mount> mounts, Identity identity, const Options& options) {
  return std::make_shared<MountedFs>(std::move(mounts), std::move(identity), options);
}

Result<core::WorkerPool*> SessionFs::mount_pool(plugin::Registry& registry, const users::User& user) {
  auto storage = registry.storage(user.filesystem.backend);
  if (!storage) return storage.error();
  return &(*storage)->pool();  // the registry keeps its storages
}

Result<std::shared_ptr<SessionFs>> SessionFs::mount(plugin::Registry& registry, Identity identity,
                                                    const Options& options) {
  const users::User& user = identity.user;
  plugin::MountArgs args{.uid = mapped_id(user.uid),
                         .gid = mapped_id(user.gid),
                         .umask = options.umask,
                         .session_id = identity.session_number,
                         .follow_links = user.filters.file_extensions.empty(),
                         .user = user.username,
                         .root = user.home_dir,
                         .settings_json = user.filesystem.settings_json};
  const auto failed = [&](const core::Error& error) {
    core::log::warn(journal::kSender, identity.connection_id,
                    "home of user \"" + user.username + "\" is not available: " + error.message());
    return error;
  };
  auto storage = registry.storage(user.filesystem.backend);
  if (!storage) return failed(storage.error());
  auto fs = (*storage)->mount({.session_id = identity.session_number}, std::move(args));
  if (!fs) return failed(fs.error());
  std::vector<Mount> mounts;
  mounts.push_back({VirtualPath(), *std::move(fs)});
  // Unmounting may block: wherever the last owner lets go, it happens on the storage's pool.
  auto* pool = &(*storage)->pool();
  auto session = make_session_fs(std::move(mounts), std::move(identity), options);
  auto* plain = session.get();
  return std::shared_ptr<SessionFs>(plain, [pool, session = std::move(session)](SessionFs*) mutable {
    pool->submit_cleanup([session = std::move(session)]() mutable { session.reset(); });
  });
}

}  // namespace host::vfs
