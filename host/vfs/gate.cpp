// SPDX-License-Identifier: Apache-2.0
//
// Owns the table of rights. Runs on any thread, touches no file system. Knows nothing of capabilities: what a mount can
// do is asked after what the user may do.
#include "host/vfs/gate.h"

#include <array>

namespace host::vfs {
namespace {

using core::Status;
using core::VirtualPath;

enum class Where : std::uint8_t { kParent, kSelf, kSelfUnlessDir };

struct Rule {
  Action action;
  std::uint32_t right;
  Where where;
};

constexpr std::array kRules = {
    Rule{Action::kStat, users::kList, Where::kParent},
    Rule{Action::kListDir, users::kList, Where::kSelf},
    Rule{Action::kMakeDir, users::kCreateDirs, Where::kParent},
    Rule{Action::kRemove, users::kDelete, Where::kParent},
    Rule{Action::kSymlink, users::kCreateSymlinks, Where::kParent},
    Rule{Action::kTruncate, users::kOverwrite, Where::kParent},
    Rule{Action::kChmod, users::kChmod, Where::kSelfUnlessDir},
    Rule{Action::kChown, users::kChown, Where::kSelfUnlessDir},
    Rule{Action::kChtimes, users::kChtimes, Where::kSelfUnlessDir},
};

constexpr bool rules_are_in_order() {
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    if (static_cast<std::size_t>(kRules[i].action) != i) return false;
  }
  return true;
}
static_assert(rules_are_in_order(), "the table is indexed by action");

// What a name allows to be done with the bytes and attributes behind it.
constexpr std::uint32_t kContentRights =
    users::kDownload | users::kOverwrite | users::kChmod | users::kChown | users::kChtimes;

core::Result<void> answer(bool allowed) {
  if (!allowed) return Status::kDenied;
  return core::ok();
}

}  // namespace

core::Result<void> Gate::check(Action action, const VirtualPath& path, bool is_dir) const {
  const Rule& rule = kRules[static_cast<std::size_t>(action)];
  const bool self = rule.where == Where::kSelf || (rule.where == Where::kSelfUnlessDir && !is_dir);
  const std::uint32_t rights = self ? user_->permissions_in(path) : user_->permissions_in(path.parent());
  return answer((rights & rule.right) != 0);
}

bool Gate::type_matters(const VirtualPath& path) const {
  return user_->permissions_in(path) != user_->permissions_in(path.parent());
}

core::Result<void> Gate::check_rename(const VirtualPath& from, const VirtualPath& to) const {
  // The root of the account stays where it is.
  if (from.is_root() || to.is_root()) return Status::kDenied;
  if (lax_rename_) return answer((user_->permissions_in(to.parent()) & users::kRename) != 0);
  const std::uint32_t both = user_->permissions_in(from.parent()) & user_->permissions_in(to.parent());
  if ((both & users::kRename) == 0) return Status::kDenied;
  for (const auto& [place, rights] : user_->permissions) {
    if (!place.is_within(from)) continue;
    // The tail of a clean path is clean, so the name after the move needs no second look.
    const VirtualPath moved = VirtualPath::clean(to.str() + place.below(from));
    if ((user_->permissions_in(moved) & ~rights) != 0) return Status::kDenied;
  }
  return core::ok();
}

bool Gate::may_replace(const VirtualPath& to) const {
  return lax_rename_ || (user_->permissions_in(to.parent()) & users::kOverwrite) != 0;
}

core::Result<void> Gate::check_hard_link(const VirtualPath& from, const VirtualPath& to) const {
  const std::uint32_t old_rights = user_->permissions_in(from.parent()) & user_->permissions_in(from);
  const std::uint32_t new_rights = user_->permissions_in(to.parent()) | user_->permissions_in(to);
  const bool gains = (new_rights & kContentRights & ~old_rights) != 0;
  return answer((user_->permissions_in(to.parent()) & users::kCreateSymlinks) != 0 &&
                (old_rights & users::kDownload) != 0 && !gains);
}

}  // namespace host::vfs
