// SPDX-License-Identifier: Apache-2.0
//
// Command lines as clients write them for a shell, which there is none of here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace host::core {

struct ShellWord {
  std::string text;           // without quotes and backslashes
  std::string pattern;        // the same for fnmatch(3): what was quoted is escaped
  bool has_wildcard = false;  // an unquoted '*', '?' or '['
};

// Splits at blanks; single quotes, double quotes and backslashes as in sh(1); an unquoted '#' at the start of a word
// begins a comment. Nothing when a quote is not closed or a backslash is last. Nothing is expanded or run.
std::optional<std::vector<ShellWord>> split_shell_words(std::string_view line);

}  // namespace host::core
