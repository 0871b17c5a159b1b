// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a command line for a shell, as the arguments of scp, and as the lines that a sending scp writes. Words
// that are quoted again are the same words; a name that is accepted stays in its directory.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "host/core/shell_words.h"
#include "host/scp/arguments.h"
#include "host/scp/messages.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::string quoted(std::string_view word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

void try_command(std::string_view line) {
  const auto words = host::core::split_shell_words(line);
  if (!words) return;
  std::string again;
  for (const auto& word : *words) {
    require(word.text.size() <= line.size());
    again += quoted(word.text) + " ";
  }
  const auto twins = host::core::split_shell_words(again);
  require(twins && twins->size() == words->size());
  for (std::size_t i = 0; i < words->size(); ++i) {
    require((*twins)[i].text == (*words)[i].text && !(*twins)[i].has_wildcard);
  }
  const auto arguments = host::scp::parse_arguments(*words);
  require(!arguments || (arguments->sink ? arguments->paths.size() == 1 : !arguments->paths.empty()));
}

void try_entry(std::string_view text) {
  const auto entry = host::scp::parse_entry(text);
  if (!entry) return;
  const std::string& name = entry->name;
  require(!name.empty() && name != "." && name != ".." && name.find('/') == name.npos && entry->perms <= 07777);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_command(text);
  try_entry(text);
  (void)host::scp::parse_times(text);
  return 0;
}
