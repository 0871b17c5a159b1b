// SPDX-License-Identifier: Apache-2.0
//
// Every operation on a path: gate, capability, storage, counters, log line, in this order. Knows no protocol and no
// plugin header.
#include "host/vfs/mounted_fs.h"

#include <utility>

#include "host/vfs/listing.h"
#include "host/vfs/open_plan.h"
#include "host/vfs/replaced.h"
#include "host/vfs/set_attrs.h"
#include "host/vfs/transfer.h"
#include "host/vfs/upload.h"

namespace host::vfs {
namespace {

using core::Status;
using plugin::FsCaps;

constexpr std::uint32_t kNewFilePerms = 0666;
constexpr std::uint32_t kNewDirPerms = 0777;

// Of what a client wants for something new only the permissions count, as in OpenSSH's server.
Attrs new_attrs(const Attrs& wanted, std::uint32_t default_perms, std::uint32_t umask) {
  Attrs attrs;
  attrs.valid = Attrs::kPerms;
  attrs.perms = (wanted.has(Attrs::kPerms) ? wanted.perms & 0777U : default_perms) & ~umask;
  return attrs;
}

Attrs being_written(const TransferInfo& upload) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  Attrs attrs;
  attrs.valid = Attrs::kType | Attrs::kPerms | Attrs::kSize | Attrs::kMtime | Attrs::kAtime;
  attrs.type = core::FileType::kFile;
  attrs.perms = 0644;
  attrs.size = upload.bytes;
  attrs.mtime_ns = attrs.atime_ns = upload.last_activity_ms * kNsPerMs;
  return attrs;
}

}  // namespace

Features MountedFs::features(const VirtualPath& path) const {
  const FsCaps& caps = context_->mounts.at(path).fs->caps();
  // Where files are published, a target is replaced in one step too; its source is there for a moment longer, no more.
  const bool in_one_step = caps.has(FsCaps::kAtomicRename) || caps.has(FsCaps::kPublishOnClose);
  return {.symlinks = caps.has(FsCaps::kSymlinks),
          .hard_links = caps.hard_link && !context_->quota.limits_size(),
          .statvfs = caps.statvfs,
          .copy_data = caps.copy_range || caps.has(FsCaps::kRandomWrite),
          .owner_names = caps.owner_names,
          .atomic_rename = in_one_step && caps.has(FsCaps::kRenameReplace),
          .sync = !caps.has(FsCaps::kPublishOnClose),  // until then there is nothing that could be kept
          .set_attrs = caps.has(FsCaps::kSetTimes) || caps.has(FsCaps::kSetPerms) || caps.has(FsCaps::kSetOwner)};
}

Result<Attrs> MountedFs::stat(const VirtualPath& path, bool follow) {
  if (auto may = allowed(Action::kStat, path); !may) return may.error();
  const Place place = context_->mounts.resolve(path);
  auto found = noted("stat", place, stat_even_unseen(path, place, follow));
  if (found || found.error().status != Status::kNotFound || !place.fs->caps().has(FsCaps::kPublishOnClose))
    return found;
  // Whoever writes a file sees it (sshfs asks as soon as it has made one), although the storage has nothing yet.
  const auto& activity = context_->identity.activity;
  const auto upload = activity ? activity->upload_to(path.str()) : std::nullopt;
  return upload ? being_written(*upload) : found;
}

Result<Attrs> MountedFs::stat_even_unseen(const VirtualPath& path, const Place& place, bool follow) {
  return even_unseen(path, place, [&](const auto& name) { return place.fs->stat(op(), name, follow); });
}

Result<void> MountedFs::set_attrs(const VirtualPath& path, const Attrs& attrs, bool follow) {
  const Place place = context_->mounts.resolve(path);
  const AttrsTarget target{path, place.fs->caps(), false, [&]() -> Result<bool> {
                             auto found = noted("stat", place, stat_even_unseen(path, place, follow));
                             if (found) return found->type == core::FileType::kDir;
                             const bool none = found.error().status == Status::kNotFound;
                             if (none && context_->unseen->has(path)) return false;
                             return found.error();
                           }};
  auto permitted = permitted_attrs(*context_, target, attrs);
  if (!permitted) return permitted.error();
  if (permitted->valid == 0) return core::ok();
  const bool resizes = permitted->has(Attrs::kSize);
  if (resizes && (!context_->names.allows(path) || Upload::is_temporary(path.name()))) return Status::kDenied;
  if (place.fs->caps().has(FsCaps::kPublishOnClose)) {
    // What is there is about to be replaced, and to change it may mean to write it anew; the upload sets and logs them.
    Attrs later = *permitted;
    later.valid &= ~std::uint32_t{Attrs::kSize};
    if (context_->unseen->set_later(path, later)) permitted->valid &= Attrs::kSize;
    if (permitted->valid == 0) return core::ok();
  }
  auto done = noted("set attributes of", place, apply(path, place, *permitted, follow));
  if (done) journal::attrs(*context_, place, *permitted);
  return done;
}

Result<void> MountedFs::set_even_unseen(const VirtualPath& path, const Place& place, const Attrs& attrs, bool follow) {
  const auto set = [&](const auto& name, const Attrs& what) { return place.fs->set_attrs(op(), name, follow, what); };
  auto done = even_unseen(path, place, [&](const auto& name) { return set(name, attrs); });
  Attrs kept = attrs;
  kept.valid &= ~std::uint32_t{Attrs::kSize};
  if (!done || kept.valid == 0) return done;
  // sshfs sets them by name before it closes (cp -p does): the file that is about to take the name has them too.
  const auto temporary = context_->unseen->find(path);
  if (!temporary) return done;
  auto too = set(*temporary, kept);
  return !too && too.error().status == Status::kNotFound ? set(place.path, kept) : too;
}

Result<void> MountedFs::apply(const VirtualPath& path, const Place& place, const Attrs& attrs, bool follow) {
  const auto set = [&] { return set_even_unseen(path, place, attrs, follow); };
  if (!context_->quota.counts() || !attrs.has(Attrs::kSize)) return set();
  const auto target = follow ? follow_links(*context_, path) : core::Result<LinkTarget>(LinkTarget{place, path, {}});
  if (!target) return target.error();
  const auto names = context_->quota.hold(op(), {target->path});
  if (!names) return names.error();
  const auto size_now = [&] { return counted_size(place.fs->stat(op(), place.path, follow)); };
  if (!size_now()) return set();  // nothing that is counted yet, or ever
  InPlace counted(context_->quota, target->path, [&] { return size_now().value_or(0); });
  auto done = counted.make_room(static_cast<std::int64_t>(attrs.size));
  if (done) done = set();
  const auto now = size_now();
  if (now) counted.resized(*now);
  return done;
}

Result<std::unique_ptr<OpenFile>> MountedFs::open(const VirtualPath& path, const OpenRequest& request) {
  const Place place = context_->mounts.resolve(path);
  if (!context_->names.allows(path)) return Status::kDenied;
  auto plan = plan_open(request, rights_to_open(path, request), place.fs->caps());
  if (!plan) return plan.error();
  if (plan->writable && Upload::is_temporary(path.name())) return Status::kDenied;
  if (plan->flags == 0) {
    auto found = noted("stat", place, place.fs->stat(op(), place.path, true));
    if (!found) return found.error();
    return plan->if_exists;
  }
  if (!plan->silent) {
    const auto kind = plan->writable ? events::Kind::kPreUpload : events::Kind::kPreDownload;
    if (auto may = notices::asked(*context_, kind, path); !may) return may.error();
  }
  const Attrs attrs = new_attrs(request.attrs, kNewFilePerms, context_->options.umask);
  auto opened = noted("open", place, plan->writable ? Upload::begin(*context_, path, *plan, attrs) : to_read(place));
  if (opened) {
    return std::make_unique<Transfer>(context_, path, std::move(opened->file), std::move(opened->upload), *plan);
  }
  switch (opened.error().status) {
    case Status::kExists: return plan->if_exists;
    case Status::kNotFound: return plan->if_missing;
    default: return opened.error();
  }
}

// To learn a checksum one needs to see the file, no more: the replaced system's rule.
std::uint32_t MountedFs::rights_to_open(const VirtualPath& path, const OpenRequest& request) const {
  if (!request.digest) return context_->gate.rights_to_open(path);
  return context_->gate.check(Action::kListDir, path) ? users::kDownload : 0U;
}

Result<Upload::Opened> MountedFs::to_read(const Place& place) {
  const plugin::OpenArgs args{.flags = plugin::OpenArgs::kRead};
  auto file = place.fs->open(op(), place.path, args);
  if (!file) return file.error();
  return Upload::Opened{*std::move(file), nullptr};
}

Result<std::unique_ptr<OpenDir>> MountedFs::open_dir(const VirtualPath& path) {
  if (auto may = allowed(Action::kListDir, path); !may) return may.error();
  Place place = context_->mounts.resolve(path);
  auto dir = noted("list", place, place.fs->open_dir(op(), place.path));
  if (!dir) return dir.error();
  return std::make_unique<Listing>(context_, path, std::move(place), *std::move(dir));
}

Result<void> MountedFs::mkdir(const VirtualPath& path, const Attrs& attrs) {
  if (auto may = allowed(Action::kMakeDir, path); !may) return may;
  if (!path.is_root() && context_->mounts.at(path).at == path) return Status::kDenied;
  const Place place = context_->mounts.resolve(path);
  const Attrs wanted = new_attrs(attrs, kNewDirPerms, context_->options.umask);
  auto done = noted("mkdir", place, place.fs->mkdir(op(), place.path, &wanted));
  if (done) journal::command(*context_, "Mkdir", place);
  return done;
}

Result<void> MountedFs::rmdir(const VirtualPath& path) {
  if (path.is_root() || context_->mounts.leads_to_mount(path)) return Status::kDenied;
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
  const bool wanted = notices::wanted(*context_, events::Kind::kDelete);
  std::optional<std::uint64_t> size;
  if (wanted || notices::wanted(*context_, events::Kind::kPreDelete)) {
    if (const auto found = place.fs->stat(op(), place.path, false)) size = found->size;
    if (auto may = notices::asked(*context_, events::Kind::kPreDelete, path, size); !may) return may;
  }
  const auto names = context_->quota.hold(op(), {path});
  if (!names) return names.error();
  const auto counted = Upload::is_temporary(path.name()) ? nullptr : Replaced::look(*context_, place, path);
  auto done = noted("remove", place, place.fs->remove_file(op(), place.path));
  if (done && counted) counted->count();
  if (done) {
    journal::command(*context_, "Remove", place);
    notices::file(*context_, events::Kind::kDelete, path, size);
  }
  return done;
}

Result<void> MountedFs::rename(const VirtualPath& from, const VirtualPath& to, bool replace) {
  if (auto may = context_->gate.check_rename(from, to); !may) return may;
  replace = replace || context_->options.lax_rename;
  if (context_->mounts.leads_to_mount(from) || context_->mounts.leads_to_mount(to)) return Status::kDenied;
  // What has no name yet gets it from its upload, which counts it.
  if (Upload::is_temporary(from.name()) || Upload::is_temporary(to.name())) return Status::kDenied;
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
  const auto names = context_->quota.hold(op(), {from, to});
  if (!names) return names.error();
  const bool copies = !source.fs->caps().has(FsCaps::kAtomicRename);  // and may fail when that is done
  const auto replaced = replace || copies ? Replaced::look(*context_, target, to) : nullptr;
  const plugin::Fs::Rename how{.replace = replace && may_replace && can_replace, .only_directory = only_directory};
  auto done = noted("rename", source, source.fs->rename(op(), source.path, target.path, how));
  // Which of the two comes first depends on the system; a file's name is refused either way.
  if (!done && only_directory && (done.error().status == Status::kNotDir || done.error().status == Status::kExists)) {
    return Status::kDenied;
  }
  if (done) {
    count_rename(from, to, source, replaced.get());
    journal::command(*context_, "Rename", source, target);
    notices::renamed(*context_, from, to);
  } else if (copies) {
    count_copy(source, target, replaced.get());
  }
  if (!done && replace && done.error().status == Status::kExists) {
    if (!may_replace) return Status::kDenied;
    if (!can_replace) return Status::kUnsupported;
  }
  return done;
}

// A rename failed: a file may have its new name all the same, and the old one too.
void MountedFs::count_copy(const Place& source, const Place& target, Replaced* replaced) {
  if (!context_->quota.counts() || !counted_size(source.fs->stat(op(), source.path, false))) return;
  const auto size = counted_size(target.fs->stat(op(), target.path, false));
  if (!size || (replaced != nullptr && *size == replaced->size())) return;
  if (replaced != nullptr) replaced->take_place();
  context_->quota.usage->count({*size, replaced != nullptr ? 0 : 1});
}

void MountedFs::count_rename(const VirtualPath& from, const VirtualPath& to, const Place& source, Replaced* replaced) {
  if (!context_->quota.counts()) return;
  // Two names of one file: the system renames neither, and both are still there.
  if (replaced != nullptr && source.fs->stat(op(), source.path, false)) return;
  if (replaced != nullptr) replaced->count();
  context_->quota.usage->open_files().moved(from, to);
}

Result<void> MountedFs::symlink(std::string_view target, const VirtualPath& link) {
  if (auto may = allowed(Action::kSymlink, link); !may) return may;
  if (context_->mounts.leads_to_mount(link)) return Status::kDenied;
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
  if (Upload::is_temporary(from.name()) || Upload::is_temporary(to.name())) return Status::kDenied;
  const Place source = context_->mounts.resolve(from);
  const Place target = context_->mounts.resolve(to);
  if (source.fs != target.fs) return Status::kCrossDevice;
  // Growth by one name and removal of the other would get past a limit: files are counted by name.
  if (context_->quota.limits_size()) return Status::kUnsupported;
  if (!source.fs->caps().hard_link) return Status::kUnsupported;
  const auto names = context_->quota.hold(op(), {to});
  if (!names) return names.error();
  auto room = room_for_link(source);
  if (!room) return noted("link", source, Result<void>(room.error()));
  auto done = noted("link", source, source.fs->hard_link(op(), source.path, target.path));
  if (*room) context_->quota.usage->count(done ? users::Usage{0, 1} : users::Usage{-**room, 0});
  if (done) journal::command(*context_, "Link", source, target);
  return done;
}

// A second name counts as a second file, which is what a scan sees. The bytes taken; nothing where none are counted.
Result<std::optional<std::int64_t>> MountedFs::room_for_link(const Place& source) {
  const SessionQuota& quota = context_->quota;
  if (!quota.counts()) return std::optional<std::int64_t>();
  const auto size = counted_size(source.fs->stat(op(), source.path, false));
  if (!size) return size;
  auto room = quota.usage->may_begin(quota.limits, true);
  if (room) room = quota.usage->take(quota.limits, *size);
  if (!room) return room.error();
  return size;
}

Result<plugin::StatVfs> MountedFs::statvfs(const VirtualPath& path) {
  if (auto may = allowed(Action::kStat, path); !may) return may.error();
  const Place place = context_->mounts.resolve(path);
  if (!place.fs->caps().statvfs) return Status::kUnsupported;
  return noted("statvfs of", place, place.fs->statvfs(op(), place.path));
}

std::string MountedFs::user_name(const VirtualPath& path, std::uint32_t uid) {
  auto name = context_->mounts.at(path).fs->user_name(uid);
  return name ? *std::move(name) : std::to_string(uid);
}

std::string MountedFs::group_name(const VirtualPath& path, std::uint32_t gid) {
  auto name = context_->mounts.at(path).fs->group_name(gid);
  return name ? *std::move(name) : std::to_string(gid);
}

}  // namespace host::vfs
