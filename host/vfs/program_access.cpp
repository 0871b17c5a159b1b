// SPDX-License-Identifier: Apache-2.0
//
// Leave for programs: rights, folders, filters, confinement of the paths, room. Runs on workers. Knows neither the
// programs nor how they are started.
#include "host/vfs/program_access.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "host/vfs/context.h"
#include "host/vfs/journal.h"
#include "host/vfs/notices.h"
#include "host/vfs/usage_scan.h"

namespace host::vfs {
namespace {

using core::Error;
using core::Result;
using core::Status;
using core::VirtualPath;

constexpr std::uint32_t kNeeded = users::kDownload | users::kUpload | users::kCreateDirs | users::kList |
                                  users::kOverwrite | users::kDelete | users::kRename;

// git opens "x.git" where it is told "x" and there is no "x".
constexpr std::string_view kOtherNames[] = {"", ".git"};

bool concerns(const VirtualPath& place, const VirtualPath& path) {
  return std::ranges::any_of(kOtherNames, [&](std::string_view ending) {
    return place.is_within(path.is_root() ? path : VirtualPath::clean(path.str() + std::string(ending)));
  });
}

// The rights that hold everywhere at and below `path`.
std::uint32_t rights_below(const users::User& user, const VirtualPath& path) {
  std::uint32_t rights = user.permissions_in(path);
  for (const auto& [place, here] : user.permissions) {
    if (concerns(place, path)) rights &= here;
  }
  return rights;
}

bool among_folders(const Context& context, const VirtualPath& path) {
  return std::ranges::any_of(context.mounts.all(), [&](const Mount& mount) {
    return !mount.at.is_root() && (path.is_within(mount.at) || concerns(mount.at, path));
  });
}

bool among_filters(const users::User& user, const VirtualPath& path) {
  return std::ranges::any_of(user.filters.file_extensions, [&](const users::ExtensionFilter& filter) {
    const auto place = VirtualPath::clean(filter.path);
    return path.is_within(place) || concerns(place, path);
  });
}

// They decide about single files, and programs do not ask.
constexpr events::Kind kQuestions[] = {events::Kind::kPreUpload, events::Kind::kPreDownload, events::Kind::kPreDelete};

Result<void> allowed(const Context& context, const ProgramRequest& request) {
  if (std::ranges::any_of(kQuestions, [&](events::Kind kind) { return notices::wanted(context, kind); }))
    return Error(Status::kUnsupported,
                 "pre-upload, pre-download and pre-delete actions cannot be asked about its files");
  const users::User& user = context.identity.user;
  const VirtualPath root;
  for (const auto& path : request.paths) {
    if ((rights_below(user, path) & kNeeded) != kNeeded) return Status::kDenied;
    const auto& reach = request.anywhere ? root : path;
    if (among_folders(context, reach) || among_filters(user, reach)) return Status::kUnsupported;
    // Resolved by the storage, which refuses what leads out. What is swapped afterwards meets the program's own
    // confinement.
    const Place place = context.mounts.resolve(path);
    const auto found = place.fs->stat(context.op(), place.path, true);
    if (found || found.error().status == Status::kNotFound || found.error().status == Status::kNotDir) continue;
    journal::failure(context, "resolve", place, found.error());
    return found.error();
  }
  return core::ok();
}

// The directory below the home that is meant by a path, without links: those of the programs' own files lead elsewhere.
Result<std::string> directory_of(const Context& context, const VirtualPath& path) {
  if (path.is_root()) return std::string();
  for (const auto ending : kOtherNames) {
    const auto name = VirtualPath::clean(path.str() + std::string(ending));
    const Place place = context.mounts.resolve(name);
    const auto found = place.fs->stat(context.op(), place.path, true);
    if (found && found->type == core::FileType::kDir) return name.str().substr(1);
  }
  return Status::kNotFound;
}

}  // namespace

Result<std::unique_ptr<ProgramAccess>> ProgramAccess::begin(std::shared_ptr<const Context> context,
                                                            const ProgramRequest& request) {
  auto home = context->mounts.at(VirtualPath()).fs->local_root();
  if (!home && home.error().status == Status::kUnsupported)
    return Error(Status::kCrossDevice, "the files of its account are not on this machine's disk, where programs look");
  if (!home) return home.error();
  if (auto may = allowed(*context, request); !may) return may.error();
  auto below = request.anywhere ? Result<std::string>(std::string()) : directory_of(*context, request.paths.front());
  if (!below) return below.error();
  const SessionQuota& quota = context->quota;
  if (request.writes && quota.counts()) {
    if (auto room = quota.usage->may_begin(quota.limits, true); !room) return room.error();
  }
  const users::User& user = context->identity.user;
  std::unique_ptr<ProgramAccess> access(new ProgramAccess(std::move(context)));
  access->home_ = *std::move(home);
  access->below_ = *std::move(below);
  access->uid_ = mapped_id(user.uid);
  access->gid_ = mapped_id(user.gid);
  access->umask_ = access->context_->options.umask;
  access->writes_ = request.writes;
  access->removes_ = request.removes;
  access->may_link_ = std::ranges::all_of(request.paths, [&](const VirtualPath& path) {
    return (rights_below(access->context_->identity.user, path) & users::kCreateSymlinks) != 0;
  });
  return access;
}

ProgramAccess::~ProgramAccess() { give_back(); }

void ProgramAccess::give_back() {
  const std::lock_guard lock(mutex_);
  if (taken_ != 0) context_->quota.usage->release(std::exchange(taken_, 0));
}

Result<void> ProgramAccess::take(std::int64_t bytes) {
  if (!writes_ || !context_->quota.limits_size()) return core::ok();
  if (auto room = context_->quota.usage->reserve(context_->quota.limits, bytes); !room) return room;
  const std::lock_guard lock(mutex_);
  taken_ += bytes;
  return core::ok();
}

bool ProgramAccess::counts() const { return (writes_ || removes_) && context_->quota.counts(); }

void ProgramAccess::count() {
  const auto found = scan_usage(*context_);
  const auto kept = found ? context_->quota.usage->set(*found) : Result<void>(found.error());
  if (!kept) journal::warn(*context_, "what a program has left could not be counted: " + kept.error().message());
}

}  // namespace host::vfs
