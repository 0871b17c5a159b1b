// SPDX-License-Identifier: Apache-2.0
//
// JSON of programs and services, which may be anything, and for them. Private to this folder.
#pragma once

#include <sallyport/cpp/base.hpp>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace auth_external {

using Json = nlohmann::ordered_json;

// Discarded when it is none, or nests so deep that nobody can have meant it.
inline Json parse(std::string_view text) {
  constexpr int kMostLevels = 64;
  bool deep = false;
  const auto watch = [&deep](int depth, Json::parse_event_t, Json&) {
    deep = deep || depth > kMostLevels;
    return !deep;
  };
  Json json = Json::parse(text, watch, false);
  return deep ? Json(Json::value_t::discarded) : json;
}

// A failure, which names nothing of it, when a text in it is not UTF-8.
inline sallyport::Outcome<std::string> to_text(const Json& json) {
  try {
    return json.dump();
  } catch (const Json::exception&) {
    return sallyport::Failure{SP_E_DENIED, "what the client sent is not UTF-8", 0};
  }
}

}  // namespace auth_external
