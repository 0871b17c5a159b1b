// SPDX-License-Identifier: Apache-2.0
//
// From the text of an "exec" request (RFC 4254 section 6.5) to what carries it out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/commands/programs.h"
#include "host/core/channel.h"
#include "host/vfs/session_fs.h"

namespace host::ssh {

struct Command {
  std::shared_ptr<core::Channel> channel;  // null: refused
  std::string protocol;                    // for operators
};

// `enabled`: names of the commands that may be run; "*" stands for all.
Command start_command(const std::string& line, const std::vector<std::string>& enabled,
                      const std::shared_ptr<commands::Programs>& programs, const std::shared_ptr<vfs::SessionFs>& fs,
                      core::Channel::Hooks hooks);

}  // namespace host::ssh
