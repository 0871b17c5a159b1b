// SPDX-License-Identifier: Apache-2.0
//
// The two forms of JSON answers. Pure functions.
#include "answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace admin_http {
namespace {

// Needs no escape in JSON.
bool is_plain(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

bool is_markup(char c) { return c == '<' || c == '>' || c == '&'; }

std::string_view escaped_for_browsers(char c) {
  switch (c) {
    case '<': return "\\u003c";
    case '>': return "\\u003e";
    default: return "\\u0026";
  }
}

}  // namespace

// Nearly all texts are plain ones, and every request has a dozen.
void append_quoted(std::string& out, std::string_view text) {
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  out += nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The three characters occur inside strings only, so every one of them may be escaped.
Answer json_answer(int status, std::string_view json) {
  Answer answer{status, "application/json; charset=utf-8", {}};
  answer.body.reserve(json.size() + 1);
  while (!json.empty()) {
    const auto* const markup = std::find_if(json.begin(), json.end(), is_markup);
    answer.body.append(json.begin(), markup);
    if (markup == json.end()) break;
    answer.body += escaped_for_browsers(*markup);
    json.remove_prefix(static_cast<std::size_t>(markup - json.begin()) + 1);
  }
  answer.body += '\n';
  return answer;
}

Answer envelope(int status, std::string_view error, std::string_view message, std::string_view extra) {
  std::string json = R"({"error":)";
  append_quoted(json, error);
  json += R"(,"message":)";
  append_quoted(json, message);
  json += R"(,"status":)" + std::to_string(status);
  json += extra;
  return json_answer(status, json + "}");
}

}  // namespace admin_http
