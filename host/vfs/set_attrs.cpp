// SPDX-License-Identifier: Apache-2.0
//
// Decides which attributes of a request reach the storage: first what the user may, then what the mount can. Any thread
// (asking for the type may block). Applies and logs nothing itself.
#include "host/vfs/set_attrs.h"

#include <array>

namespace host::vfs {
namespace {

using core::Attrs;
using core::Status;
using plugin::FsCaps;

constexpr std::uint32_t kTimes = Attrs::kMtime | Attrs::kAtime;

struct Group {
  std::uint32_t bits;
  Action action;
  FsCaps::Flag cap;
};

constexpr std::array kGroups = {
    Group{Attrs::kSize, Action::kTruncate, FsCaps::kTruncate},
    Group{Attrs::kPerms, Action::kChmod, FsCaps::kSetPerms},
    Group{Attrs::kOwner, Action::kChown, FsCaps::kSetOwner},
    Group{kTimes, Action::kChtimes, FsCaps::kSetTimes},
};

}  // namespace

core::Result<Attrs> permitted_attrs(const Context& context, const AttrsTarget& target, const Attrs& wanted) {
  Attrs attrs = wanted;
  attrs.valid &= Attrs::kSize | Attrs::kPerms | Attrs::kOwner | kTimes;
  if (context.options.ignore_setstat) attrs.valid &= Attrs::kSize;
  if (attrs.valid == 0) return attrs;

  bool is_dir = false;
  if ((attrs.valid & ~std::uint32_t{Attrs::kSize}) != 0 && context.gate.type_matters(target.path)) {
    const auto answer = target.is_dir();
    if (!answer) return answer.error();
    is_dir = *answer;
  }
  for (const Group& group : kGroups) {
    if ((attrs.valid & group.bits) == 0) continue;
    if (group.action == Action::kTruncate && target.open_for_writing) continue;
    if (auto allowed = context.gate.check(group.action, target.path, is_dir); !allowed) return allowed.error();
  }
  for (const Group& group : kGroups) {
    if ((attrs.valid & group.bits) != 0 && !target.caps.has(group.cap)) return Status::kUnsupported;
  }
  attrs.perms &= 0777;
  return attrs;
}

}  // namespace host::vfs
