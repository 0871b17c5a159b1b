// SPDX-License-Identifier: Apache-2.0
//
// The two forms of JSON answers. Pure functions.
#include "answer.h"

#include <nlohmann/json.hpp>

namespace admin_http {
namespace {

std::string quoted(std::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

// The three characters occur inside strings only, so every one of them may be escaped.
Answer json_answer(int status, std::string_view json) {
  Answer answer{status, "application/json; charset=utf-8", {}};
  answer.body.reserve(json.size() + 1);
  for (const char c : json) {
    switch (c) {
      case '<': answer.body += "\\u003c"; break;
      case '>': answer.body += "\\u003e"; break;
      case '&': answer.body += "\\u0026"; break;
      default: answer.body += c;
    }
  }
  answer.body += '\n';
  return answer;
}

Answer envelope(int status, std::string_view error, std::string_view message, std::string_view extra) {
  return json_answer(status, R"({"error":)" + quoted(error) + R"(,"message":)" + quoted(message) + R"(,"status":)" +
                                 std::to_string(status) + std::string(extra) + "}");
}

}  // namespace admin_http
