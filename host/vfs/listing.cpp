// SPDX-License-Identifier: Apache-2.0
//
// Mounted folders come first, then the storage's entries but those they hide. On the storage's workers.
#include "host/vfs/listing.h"

#include <algorithm>
#include <utility>

#include "host/vfs/journal.h"

namespace host::vfs {

Listing::Listing(std::shared_ptr<const Context> context, const core::VirtualPath& directory, Place place,
                 std::unique_ptr<plugin::Dir> dir)
    : context_(std::move(context)),
      place_(std::move(place)),
      dir_(std::move(dir)),
      folders_(context_->mounts.in(directory)) {}

bool Listing::hides(std::string_view name) const {
  return std::ranges::any_of(folders_, [&](const Mount* folder) { return folder->at.name() == name; });
}

// A folder whose directory cannot be had is shown all the same, so that its owner sees what is missing.
Attrs Listing::attrs_of(const Mount& folder) const {
  if (auto attrs = folder.fs->stat(context_->op(), {}, true)) return *attrs;
  Attrs attrs;
  attrs.valid = Attrs::kType | Attrs::kPerms;
  attrs.type = core::FileType::kDir;
  attrs.perms = 0755;
  return attrs;
}

Result<bool> Listing::next(std::uint32_t max, const Take& take) {
  for (; offered_ < folders_.size(); ++offered_) {
    if (max == 0 || !take(folders_[offered_]->at.name(), attrs_of(*folders_[offered_]))) return false;
    --max;
  }
  if (max == 0) return false;
  auto at_end = dir_->next(context_->op(), max, [&](std::string_view name, const Attrs& attrs) {
    return (!folders_.empty() && hides(name)) || take(name, attrs);
  });
  if (!at_end) journal::failure(*context_, "list", place_, at_end.error());
  return at_end;
}

}  // namespace host::vfs
