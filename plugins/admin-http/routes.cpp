// SPDX-License-Identifier: Apache-2.0
//
// From a request to its row, and running that. Threads of the HTTP server, several at once. Knows no sockets.
#include "routes.h"

#include <exception>

namespace admin_http {
namespace {

// True when the path fits; `parameter` then holds what "{}" stands for.
bool fits(std::string_view pattern, std::string_view path, std::string& parameter) {
  const auto hole = pattern.find("{}");
  if (hole == std::string_view::npos) return pattern == path;
  if (!path.starts_with(pattern.substr(0, hole))) return false;
  const auto rest = path.substr(hole);
  if (rest.empty() || rest.find('/') != std::string_view::npos) return false;
  parameter = rest;
  return true;
}

}  // namespace

Match find_route(std::span<const Route> table, const std::string& method, const std::string& path) {
  Match match;
  bool known = false;
  for (const auto& route : table) {
    if (!fits(route.path, path, match.parameter)) continue;
    // HEAD is a GET whose body is not sent (RFC 9110 section 9.3.2), and safe.
    if (route.method == method || (method == "HEAD" && route.method == "GET" && !route.acts)) {
      match.route = &route;
      return match;
    }
    known = true;
  }
  match.refusal = known ? envelope(405, "", "Method not allowed") : envelope(404, "", "Not Found");
  return match;
}

Answer run_handler(const Route& route, const Request& request, Services& services) noexcept {
  try {
    return route.handler(request, services);
  } catch (const std::exception&) {
  } catch (...) {}
  try {
    return envelope(500, "internal error", "");  // what was thrown may name anything
  } catch (...) {
    return {500, {}, {}};
  }
}

}  // namespace admin_http
