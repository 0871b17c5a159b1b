// SPDX-License-Identifier: Apache-2.0
//
// The table of programs, and what holds for the words of all of them before a program's own rules look at them.
#include "host/commands/program.h"

#include <algorithm>
#include <array>

#include "host/commands/limits.h"
#include "host/core/limits.h"

namespace host::commands {
namespace {

using core::Error;
using core::Status;

struct Kind {
  std::string_view name;
  core::Result<Program> (*parse)(const std::vector<core::ShellWord>& words);
};

constexpr std::array kKinds = {
    Kind{"git-receive-pack", &parse_git},
    Kind{"git-upload-pack", &parse_git},
    Kind{"git-upload-archive", &parse_git},
    Kind{"rsync", &parse_rsync},
};

}  // namespace

bool is_program(std::string_view name) { return std::ranges::find(kKinds, name, &Kind::name) != kKinds.end(); }

core::Result<Program> parse_program(const std::vector<core::ShellWord>& words) {
  if (words.size() > limits::kMaxProgramWords) return Error(Status::kInvalid, "too many arguments");
  for (const auto& word : words) {
    if (core::VirtualPath::has_nul(word.text) || word.text.size() > core::limits::kMaxPathBytes)
      return Error(Status::kInvalid, "an argument that cannot be");
  }
  return std::ranges::find(kKinds, words.front().text, &Kind::name)->parse(words);
}

std::string local_name(const core::VirtualPath& path) { return path.is_root() ? "." : "." + path.str(); }

}  // namespace host::commands
