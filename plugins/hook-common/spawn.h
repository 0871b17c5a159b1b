// SPDX-License-Identifier: Apache-2.0
//
// A program becomes a process. Private to this folder; any thread.
#pragma once

#include <sys/types.h>

#include "hook-common/fd.h"
#include "hook-common/process.h"

namespace hook_common {

struct Spawned {
  pid_t pid = -1;
  Fd handle;  // a pidfd: readable when it has ended
};

// Runs it with `input` and `output` as its first descriptors (-1: /dev/null), leader of a group of its own. The number
// of an error when it could not be executed; then there is no process.
int spawn(const Command& command, int input, int output, Spawned& spawned);

// Kills a process that nobody has waited for, its group, and what stems from it and can still be found, in whatever
// group.
void kill_all_of(const Spawned& process);

// Waits for the end of one that was killed, a moment at most: one of another user, or one that hangs in the kernel, may
// go on. Then it is waited for whenever another one is. Gives its wait status.
int reap(const Spawned& process);

}  // namespace hook_common
