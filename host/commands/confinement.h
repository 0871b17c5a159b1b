// SPDX-License-Identifier: Apache-2.0
//
// What the kernel lets a child do. Landlock: it changes and reads files below its directory only, besides that it reads
// the system's libraries and runs the programs it was given leave for; no network. Landlock says nothing about modes,
// owners and times: the child also has a view of the file system of its own, in which everything else is read-only. The
// directory bears a neutral name there, so that no message of a program tells the real one. A view needs root or name
// spaces of users; without either there is no child.
#pragma once

#include <string>

#include "host/commands/child.h"
#include "host/commands/unique_fd.h"
#include "host/core/result.h"

namespace host::commands {

class Confinement {
 public:
  // kUnsupported: this kernel cannot. [worker]
  static core::Result<Confinement> prepare(const ChildPlan& plan);

  // In the child, between fork and exec, in this order: view(), then whatever needs rights, then close(). Nothing
  // but system calls. 0 or errno.
  int view() const noexcept;   // ends in the directory; or else the child must not go on
  int close() const noexcept;  // from here on there is no way back

 private:
  int leave_common_view() const noexcept;

  std::string path_, below_;
  std::string setgroups_ = "deny", gid_map_, uid_map_;  // for a name space of users
  UniqueFd rules_;
};

}  // namespace host::commands
