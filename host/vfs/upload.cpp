// SPDX-License-Identifier: Apache-2.0
//
// Two ways: into the file itself, or into a temporary beside it that takes its name at the end. Names are held while
// they are looked at, changed and counted, so that uploads of one user to one name follow each other.
#include "host/vfs/upload.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "host/core/limits.h"
#include "host/core/random.h"
#include "host/vfs/journal.h"
#include "host/vfs/published_upload.h"
#include "host/vfs/whole_upload.h"

namespace host::vfs {
namespace {

using core::Attrs;
using core::BackendPath;
using core::Result;
using core::Status;
using core::VirtualPath;
using plugin::FsCaps;
using plugin::OpenArgs;

constexpr std::string_view kTemporaryPrefix = ".sftpgo-upload.";
constexpr std::size_t kMaxNameBytes = 255;

class DirectUpload final : public Upload {
 public:
  // `made`: there was no such file before.
  DirectUpload(const Context& context, LinkTarget target, std::unique_ptr<InPlace> counted, bool made)
      : context_(context), target_(std::move(target)), counted_(std::move(counted)), made_(made) {}

  Result<void> make_room(std::uint64_t end) override { return counted_->make_room(static_cast<std::int64_t>(end)); }
  Result<void> make_room_behind(std::uint64_t bytes) override {
    return counted_->make_room_behind(static_cast<std::int64_t>(bytes));
  }
  Result<void> close(plugin::File& file, Ending ending) override {
    // While it can still be asked: the name may mean another file by now.
    const bool whole = ending == Ending::kWhole;
    const auto op = whole ? context_.op_to_the_end() : context_.op();
    // A refusal on the way is one from the start, where nothing has come: there is no file, and none is counted.
    using Held = Result<std::optional<UserUsage::Names>>;
    const bool goes = made_ && ending == Ending::kRefused;
    const Held names = goes ? context_.quota.hold(op, {target_.path}) : Held(std::optional<UserUsage::Names>());
    const bool own = goes && names && counted_->has_name(target_.path);
    bool empty = false;
    counted_->settle([&]() -> std::optional<std::int64_t> {
      const auto attrs = file.stat(op);
      if (!attrs) return std::nullopt;
      empty = attrs->size == 0;
      return static_cast<std::int64_t>(attrs->size);
    });
    auto closed = file.close(op, whole);
    if (own && empty && target_.place.fs->remove_file(op, target_.place.path)) context_.quota.usage->count({0, -1});
    return closed;
  }

 private:
  const Context& context_;
  const LinkTarget target_;
  std::unique_ptr<InPlace> counted_;
  const bool made_;
};

class TemporaryUpload final : public WholeUpload {
 public:
  // `path`: as the client opened it.
  TemporaryUpload(const Context& context, const VirtualPath& path, LinkTarget target, BackendPath temporary,
                  bool replace)
      : WholeUpload(context, target.before ? static_cast<std::int64_t>(target.before->size) : 0),
        target_(std::move(target)),
        temporary_(std::move(temporary)),
        replace_(replace),
        unseen_(context.unseen, path, temporary_) {}

  Result<void> close(plugin::File& file, Ending ending) override;

 private:
  Result<void> take_name(std::int64_t size, bool whole, bool replace) {
    return publish(target_.place, target_.path, size, [&]() -> Result<void> {
      // A part must not take the place of what its client has sent again meanwhile.
      if (!whole && !as_it_was()) return core::Error(Status::kConflict, "the name means another file by now");
      return target_.place.fs->rename(context_.op_to_the_end(), temporary_, target_.place.path, {.replace = replace});
    });
  }
  bool as_it_was() const;
  void discard();

  const LinkTarget target_;
  const BackendPath temporary_;
  const bool replace_;
  const UnseenUploads::Entry unseen_;
};

bool TemporaryUpload::as_it_was() const {
  const auto now = target_.place.fs->stat(context_.op_to_the_end(), target_.place.path, false);
  const auto& before = target_.before;
  if (!now) return !before && now.error().status == Status::kNotFound;
  return before && now->type == before->type && now->size == before->size && now->mtime_ns == before->mtime_ns;
}

void TemporaryUpload::discard() {
  auto removed = target_.place.fs->remove_file(context_.op_to_the_end(), temporary_);
  if (!removed) journal::failure(context_, "remove the temporary file of", target_.place, removed.error());
}

Result<void> TemporaryUpload::close(plugin::File& file, Ending ending) {
  const bool commit = ending == Ending::kWhole;
  const auto op = commit ? context_.op_to_the_end() : context_.op();
  const auto attrs = file.stat(op);
  auto closed = file.close(op, commit);
  if (!attrs && closed) closed = attrs.error();
  const bool whole = commit && closed;
  const bool lost = ending == Ending::kLost;
  const bool part = lost || (ending != Ending::kNothing && !target_.before);
  const bool keep = part && context_.options.upload_mode == UploadMode::kAtomicResume && attrs && attrs->size > 0;
  if (whole || keep) {
    // Where there was nothing a part replaces nothing, whatever comes between a look and the rename.
    const bool replace = replace_ && (whole || (lost && target_.before));
    auto published = take_name(static_cast<std::int64_t>(attrs->size), whole, replace);
    if (!published) {
      discard();
      if (whole) {
        closed = published;
      } else {
        journal::transfer_failure(context_, "keep what has arrived of", target_.place, published.error());
      }
    }
  } else {
    discard();
  }
  release();
  return closed;
}

// Twenty characters as in the replaced system, so that clean-up scripts for "." "sftpgo-upload.*" go on working.
BackendPath temporary_for(const BackendPath& path) {
  const auto id = core::random_text(20, "0123456789abcdefghijklmnopqrstuv");
  const auto slash = path.text.rfind('/') + 1;
  std::string name = std::string(kTemporaryPrefix) + id + "." + path.text.substr(slash);
  name.resize(std::min(name.size(), kMaxNameBytes));
  return {path.text.substr(0, slash) + name};
}

// What is in the file now is where the upload goes on.
Result<void> copy_content(const Context& context, const LinkTarget& target, plugin::File& to) {
  auto from = target.place.fs->open(context.op(), target.place.path, {.flags = OpenArgs::kRead});
  if (!from) return from.error();
  std::uint64_t copied = 0;
  while (copied < target.before->size) {
    auto step = (*from)->copy_range(context.op(), copied, target.before->size - copied, to, copied);
    if (!step) return step.error();
    if (*step == 0) break;
    copied += *step;
  }
  return (*from)->close(context.op(), true);
}

bool publishes_by_rename(const Context& context, const FsCaps& caps) {
  return context.options.upload_mode != UploadMode::kInPlace && caps.has(FsCaps::kAtomicRename) &&
         caps.has(FsCaps::kRenameReplace);
}

Result<Upload::Opened> begin_temporary(const Context& context, const VirtualPath& path, LinkTarget target,
                                       const OpenPlan& plan, const Attrs& attrs) {
  const bool exists = target.before.has_value();
  if (Upload::is_temporary(target.path.name())) return Status::kDenied;
  if (exists && target.before->type == core::FileType::kDir) return Status::kIsDir;
  if (exists && target.before->type != core::FileType::kFile) return Status::kDenied;
  if (exists && (plan.flags & OpenArgs::kExclusive) != 0) return Status::kExists;
  if (!exists && (plan.flags & OpenArgs::kCreate) == 0) return Status::kNotFound;
  if (context.quota.counts()) {
    if (auto room = context.quota.usage->may_begin(context.quota.limits, !exists); !room) return room.error();
  }
  const bool keeps = exists && (plan.flags & OpenArgs::kTruncate) == 0;
  Attrs own = attrs;
  if (exists) {  // as if it had been written over
    own.valid = Attrs::kPerms;
    own.perms = target.before->perms & 0777U;
  }
  auto temporary = temporary_for(target.place.path);
  constexpr std::uint32_t kHow = OpenArgs::kRead | OpenArgs::kWrite | OpenArgs::kAppend;
  const OpenArgs args{.flags = (plan.flags & kHow) | OpenArgs::kCreate | OpenArgs::kExclusive, .attrs = &own};
  auto file = target.place.fs->open(context.op(), temporary, args);
  if (!file) return file.error();
  const Place place = target.place;
  Upload::Opened opened;
  const bool replace = (plan.flags & OpenArgs::kExclusive) == 0;
  const auto size = keeps ? target.before->size : 0;
  opened.upload = std::make_unique<TemporaryUpload>(context, path, target, temporary, replace);
  opened.file = *std::move(file);
  // The store takes the umask off what is new; a refusal leaves it at that.
  if (exists) (void)opened.file->set_attrs(context.op(), own);
  auto ready = opened.upload->make_room(size);
  if (ready && size > 0) ready = copy_content(context, target, *opened.file);
  if (ready) return opened;
  (void)opened.file->close(context.op(), false);
  (void)place.fs->remove_file(context.op(), temporary);
  return ready.error();
}

Result<Upload::Opened> begin_direct(const Context& context, const VirtualPath& path, const OpenPlan& plan,
                                    const Attrs& attrs) {
  const Place place = context.mounts.resolve(path);
  const OpenArgs args{.flags = plan.flags, .attrs = &attrs};
  Upload::Opened opened;
  if (!context.quota.counts()) {
    auto file = place.fs->open(context.op(), place.path, args);
    if (!file) return file.error();
    opened.file = *std::move(file);
    return opened;
  }
  auto target = follow_links(context, path);  // files are counted by their own names
  if (!target) return target.error();
  if (Upload::is_temporary(target->path.name())) return Status::kDenied;
  UserUsage& usage = *context.quota.usage;
  const auto names = usage.hold(context.op(), {target->path});
  if (!names) return names.error();
  bool exists = true;
  auto counted = std::make_unique<InPlace>(context.quota, target->path, [&] {
    const auto size = counted_size(place.fs->stat(context.op(), place.path, true));
    exists = size.has_value();
    return size.value_or(0);
  });
  if (auto room = usage.may_begin(context.quota.limits, !exists); !room) return room.error();
  auto file = place.fs->open(context.op(), place.path, args);
  if (!file) return file.error();
  if (!exists) usage.count({0, 1});
  if (exists && (plan.flags & OpenArgs::kTruncate) != 0) counted->resized(0);
  opened.file = *std::move(file);
  opened.upload = std::make_unique<DirectUpload>(context, *std::move(target), std::move(counted), !exists);
  return opened;
}

}  // namespace

Result<LinkTarget> follow_links(const Context& context, const VirtualPath& path) {
  const Mount& mount = context.mounts.at(path);
  LinkTarget target{context.mounts.resolve(path), path, std::nullopt};
  for (int hops = 0; hops < core::limits::kMaxLinkHops; ++hops) {
    auto found = target.place.fs->stat(context.op(), target.place.path, false);
    if (!found && found.error().status != Status::kNotFound) return found.error();
    if (!found) return target;
    if (found->type != core::FileType::kSymlink) {
      target.before = *found;
      return target;
    }
    if (!context.names.empty()) return Status::kDenied;  // such an account follows no link
    auto text = target.place.fs->read_link(context.op(), target.place.path);
    if (!text) return text.error();
    const auto inside = VirtualPath::clean(*text, VirtualPath::clean(target.place.path.text).parent());
    target.place.path = {inside.str()};
    target.path = VirtualPath::clean(mount.at.str() + inside.str());
  }
  return Status::kLoop;
}

bool Upload::is_temporary(std::string_view name) { return name.starts_with(kTemporaryPrefix); }

Result<Upload::Opened> Upload::begin(const Context& context, const VirtualPath& path, const OpenPlan& plan,
                                     const Attrs& attrs) {
  const FsCaps& caps = context.mounts.at(path).fs->caps();
  if (caps.has(FsCaps::kPublishOnClose)) return begin_published(context, path, plan, attrs);
  if (!publishes_by_rename(context, caps)) {
    return begin_direct(context, path, plan, attrs);
  }
  // A temporary that replaced a link would cut it off.
  auto target = follow_links(context, path);
  if (!target) return target.error();
  // What is continued was left by an upload that failed; it is in the open already.
  const bool continues = target->before && (plan.flags & OpenArgs::kTruncate) == 0;
  if (continues && context.options.upload_mode == UploadMode::kAtomicResume) {
    return begin_direct(context, path, plan, attrs);
  }
  return begin_temporary(context, path, *std::move(target), plan, attrs);
}

}  // namespace host::vfs
