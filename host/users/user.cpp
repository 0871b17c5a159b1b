// SPDX-License-Identifier: Apache-2.0
//
// Look-ups in one account. Any thread.
#include "host/users/user.h"

namespace host::users {

std::uint32_t User::permissions_in(const core::VirtualPath& dir) const {
  if (permissions.size() == 1 && permissions.begin()->first.is_root()) return permissions.begin()->second;
  for (auto path = dir;; path = path.parent()) {
    if (const auto it = permissions.find(path); it != permissions.end()) return it->second;
    if (path.is_root()) return 0;
  }
}

}  // namespace host::users
