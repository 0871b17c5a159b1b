// SPDX-License-Identifier: Apache-2.0
//
// One request and its answer, free of sockets. Pure values; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace admin_http {

struct Request {
  std::string method;
  std::string path;                          // decoded, without the query
  std::map<std::string, std::string> query;  // the first of several values
  std::string body;
  std::string parameter;  // what the route's "{}" stands for

  // The value of a query parameter, or "".
  std::string get(const std::string& name) const {
    const auto it = query.find(name);
    return it != query.end() ? it->second : std::string();
  }
};

struct Answer {
  int status = 200;
  std::string type;  // content type
  std::string body;
  std::string challenge = {};  // WWW-Authenticate
};

// Appends a text as JSON. What is not UTF-8 becomes U+FFFD.
void append_quoted(std::string& out, std::string_view text);
// JSON in the form that clients of the replaced system know: one line, with <, > and & escaped.
Answer json_answer(int status, std::string_view json);
// {"error": ..., "message": ..., "status": ...}; `extra` is more members as JSON (", ..."), or empty.
Answer envelope(int status, std::string_view error, std::string_view message, std::string_view extra = {});

}  // namespace admin_http
