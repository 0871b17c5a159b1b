// SPDX-License-Identifier: Apache-2.0
//
// The command line of the remote side of scp, as clients make it.
#pragma once

#include <optional>
#include <vector>

#include "host/core/shell_words.h"

namespace host::scp {

struct Arguments {
  bool sink = false;  // -t: the client sends; otherwise -f: it receives
  bool recursive = false, preserve = false, must_be_directory = false;
  std::vector<core::ShellWord> paths;  // one for a sink
  std::string line;                    // all of it, for the log
};

// Nothing when it is none that a client would send.
std::optional<Arguments> parse_arguments(const std::vector<core::ShellWord>& words);

}  // namespace host::scp
