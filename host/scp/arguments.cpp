// SPDX-License-Identifier: Apache-2.0
//
// Options may be grouped in any way; -v and -q change nothing here. Pure function.
#include "host/scp/arguments.h"

namespace host::scp {
namespace {

bool take_options(std::string_view letters, Arguments& arguments, int& sides) {
  for (const char letter : letters) {
    switch (letter) {
      case 't':
        arguments.sink = true;
        ++sides;
        break;
      case 'f': ++sides; break;
      case 'r': arguments.recursive = true; break;
      case 'p': arguments.preserve = true; break;
      case 'd': arguments.must_be_directory = true; break;
      case 'v':
      case 'q': break;
      default: return false;
    }
  }
  return true;
}

}  // namespace

std::optional<Arguments> parse_arguments(const std::vector<core::ShellWord>& words) {
  Arguments arguments;
  int sides = 0;
  bool options = true;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto& text = words[i].text;
    if (options && text == "--") {
      options = false;
    } else if (options && text.size() > 1 && text.front() == '-') {
      if (!take_options(std::string_view(text).substr(1), arguments, sides)) return std::nullopt;
    } else {
      arguments.paths.push_back(words[i]);
      if (arguments.paths.back().text.empty()) arguments.paths.back().text.assign(1, '.');
    }
  }
  const bool paths_fit = arguments.sink ? arguments.paths.size() == 1 : !arguments.paths.empty();
  if (sides != 1 || !paths_fit) return std::nullopt;
  return arguments;
}

}  // namespace host::scp
