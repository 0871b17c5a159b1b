// SPDX-License-Identifier: Apache-2.0
//
// Commands that a client may have run over its files ("exec" of RFC 4254 section 6.5). None is a program of the system.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/channel.h"
#include "host/core/shell_words.h"
#include "host/vfs/session_fs.h"

namespace host::commands {

bool knows(std::string_view name);

// `line` as it came, for the log; words[0] is a command that is known.
std::shared_ptr<core::Channel> make_channel(std::shared_ptr<vfs::SessionFs> fs, std::string line,
                                            std::vector<core::ShellWord> words, core::Channel::Hooks hooks);

}  // namespace host::commands
