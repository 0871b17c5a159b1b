// SPDX-License-Identifier: Apache-2.0
//
// A channel whose other end is a program of the system.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/commands/program.h"
#include "host/commands/programs.h"
#include "host/core/channel.h"
#include "host/core/shell_words.h"
#include "host/vfs/session_fs.h"

namespace host::commands {

// `line` as it came, for the log; words[0] is_program().
std::shared_ptr<core::Channel> make_program_channel(std::shared_ptr<Programs> programs,
                                                    std::shared_ptr<vfs::SessionFs> fs, std::string line,
                                                    std::vector<core::ShellWord> words, core::Channel::Hooks hooks);

}  // namespace host::commands
