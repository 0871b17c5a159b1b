// SPDX-License-Identifier: Apache-2.0
//
// git's server side. A repository that somebody can write to by SFTP is not to be trusted: its configuration and hooks
// name programs to be run, its files other repositories and directories to work on. It works in the repository, and
// reaches nothing else and runs nothing (confinement.h); what can be switched off is.
#include <utility>

#include "host/commands/program.h"

namespace host::commands {
namespace {

using core::Error;
using core::Status;

struct Setting {
  std::string_view name, value;
};

// Over all that the repository's own configuration says.
constexpr Setting kSettings[] = {
    {"core.hooksPath", "/dev/null"},
    {"core.fsmonitor", "false"},
    {"safe.directory", "*"},  // who owns the files was decided by whose home it is
    // What goes on behind the back of the client would be killed with the command.
    {"gc.autoDetach", "false"},
    {"maintenance.autoDetach", "false"},
    // No files of a working tree are written: rights and filters are not asked about their names.
    {"receive.denyCurrentBranch", "refuse"},
    {"core.symlinks", "false"},
    // Memory and threads of one command: many may run.
    {"pack.threads", "1"},
    {"index.threads", "1"},
    {"pack.windowMemory", "64m"},
    {"core.bigFileThreshold", "16m"},
};

std::vector<std::string> environment() {
  std::vector<std::string> all = {"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
                                  "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1",         "GIT_ALLOW_PROTOCOL=none"};
  int count = 0;
  for (const auto& [name, value] : kSettings) {
    const auto number = std::to_string(count++);
    all.push_back("GIT_CONFIG_KEY_" + number + "=" + std::string(name));
    all.push_back("GIT_CONFIG_VALUE_" + number + "=" + std::string(value));
  }
  all.push_back("GIT_CONFIG_COUNT=" + std::to_string(count));
  return all;
}

}  // namespace

core::Result<Program> parse_git(const std::vector<core::ShellWord>& words) {
  if (words.size() != 2 || words[1].text.starts_with('-')) {
    return Error(Status::kInvalid, "takes one repository and no options here");
  }
  const auto& command = words[0].text;
  const auto path = core::VirtualPath::clean(words[1].text);
  Program program;
  program.name = "git";
  program.request = {.paths = {path}, .anywhere = false, .writes = command == "git-receive-pack"};
  program.words = {command.substr(4), "."};
  program.environment = environment();
  program.runs = {"/usr/lib/git-core", "/usr/libexec/git-core", "/usr/local/libexec/git-core"};
  return program;
}

}  // namespace host::commands
