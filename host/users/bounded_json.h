// SPDX-License-Identifier: Apache-2.0
//
// JSON from outside. Copying and writing a value costs stack for each level of nesting, so a text may not have many.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
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

// A member of `object`, or `missing`. Nothing when it is of another type.
inline std::optional<std::string> text_member(const nlohmann::ordered_json& object, const char* name,
                                              const std::string& missing = "") {
  const auto it = object.find(name);
  if (it == object.end()) return missing;
  return it->is_string() ? std::optional(it->get<std::string>()) : std::nullopt;
}
inline std::optional<std::int64_t> number_member(const nlohmann::ordered_json& object, const char* name) {
  const auto it = object.find(name);
  if (it == object.end()) return 0;
  return it->is_number_integer() ? std::optional(it->get<std::int64_t>()) : std::nullopt;
}

}  // namespace host::users
