// SPDX-License-Identifier: Apache-2.0
//
// JSON from outside. Copying and writing a value costs stack for each level of nesting, so a text may not have many.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace host::users {

inline constexpr int kMaxNesting = 64;

// Levels of arrays and objects; brackets in texts do not count.
inline bool nests_too_deep(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      in_text = c != '"';
    } else if (c == '"') {
      in_text = true;
    } else if ((c == '[' || c == '{') && ++depth > kMaxNesting) {
      return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

// Discarded when it is no JSON or nests too deep.
inline nlohmann::ordered_json parse_bounded(std::string_view text) {
  using nlohmann::ordered_json;
  return nests_too_deep(text) ? ordered_json(ordered_json::value_t::discarded)
                              : ordered_json::parse(text, nullptr, false);
}

}  // namespace host::users
