// SPDX-License-Identifier: Apache-2.0
//
// Which file names an account may move, by their endings (filters.file_extensions). The filter of the nearest directory
// on the way up from a file decides alone. Letters are compared without case. Lexical: an account
// with filters is mounted without following links (plugin::MountArgs), so that none leads past them. Any thread;
// immutable.
#pragma once

#include <string>
#include <vector>

#include "host/core/vpath.h"
#include "host/users/user.h"

namespace host::vfs {

class NameFilter {
 public:
  explicit NameFilter(const users::User& user);

  bool empty() const { return rules_.empty(); }
  bool allows(const core::VirtualPath& file) const;
  // Does the same filter, or none, hold for everything at both places? If not, a directory that is moved from one to
  // the other takes what is in it away from its filter.
  bool same_for_trees(const core::VirtualPath& a, const core::VirtualPath& b) const;

 private:
  struct Rule {
    core::VirtualPath directory;
    std::vector<std::string> allowed, denied;  // lower case
  };
  const Rule* governing(const core::VirtualPath& directory) const;

  std::vector<Rule> rules_;
};

}  // namespace host::vfs
