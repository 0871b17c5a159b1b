// SPDX-License-Identifier: Apache-2.0
//
// Which programs of the system clients may run, and how: from the words that a client sent to those that the program
// gets. Only what the programs' own clients send is let pass. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.h"
#include "host/core/shell_words.h"
#include "host/vfs/program_access.h"

namespace host::commands {

struct Program {
  std::string name;  // to be found by
  vfs::ProgramRequest request;
  std::vector<std::string> words;        // without the name
  std::vector<std::string> environment;  // besides what every program gets
  std::vector<std::string> runs;         // directories and files of programs that it runs itself
  // Taken in front of `words` for who may make symbolic links, and for who may not.
  std::vector<std::string> if_links, if_no_links;
};

bool is_program(std::string_view name);

// words[0] is a program. The error's text is for the client.
core::Result<Program> parse_program(const std::vector<core::ShellWord>& words);

// What a path of the client's is called where the program works: the home.
std::string local_name(const core::VirtualPath& path);

// -- the kinds
core::Result<Program> parse_git(const std::vector<core::ShellWord>& words);
core::Result<Program> parse_rsync(const std::vector<core::ShellWord>& words);

}  // namespace host::commands
