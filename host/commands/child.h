// SPDX-License-Identifier: Apache-2.0
//
// Starting one program of the system, confined to a directory. The program gets three pipes, no other descriptor, an
// environment of its own, a process group of its own, and dies with this process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/commands/unique_fd.h"
#include "host/core/attrs.h"
#include "host/core/result.h"

namespace host::commands {

struct ChildPlan {
  std::string file;                      // absolute
  std::vector<std::string> words;        // words[0] included
  std::vector<std::string> environment;  // all of it
  std::vector<std::string> runs;         // what else it may run: files and directories of programs
  std::string directory;                 // where it works, and all that it may change; or
  std::string below;                     // a directory below that, to which no link leads
  std::uint32_t uid = core::Attrs::kKeep, gid = core::Attrs::kKeep;
  std::uint32_t umask = 022;
};

struct Child {
  pid_t pid = -1;  // also of its process group
  UniqueFd pidfd;
  UniqueFd in, out, err;  // our ends of its pipes, non-blocking
};

// Blocks the calling thread, not the others, until the program runs or has failed to. kUnsupported: it could not be
// confined, or not be given its owner. [worker]
core::Result<Child> start_child(const ChildPlan& plan);

// Absolute path of a program, looked for as a shell does; empty when there is none. [worker]
std::string find_program(std::string_view name);

}  // namespace host::commands
