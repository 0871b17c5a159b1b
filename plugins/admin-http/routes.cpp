// SPDX-License-Identifier: Apache-2.0
//
// One row per endpoint. Threads of the HTTP server, several at once. Knows no sockets.
#include "routes.h"

#include <exception>

#include "handlers.h"

namespace admin_http {
namespace {

constexpr Route kRoutes[] = {
    {"GET", "/api/v1/version", get_version},
    {"GET", "/api/v1/providerstatus", get_provider_status},
    {"GET", "/api/v1/plugins", get_plugins},
    {"GET", "/api/v1/health", get_health, true},
    {"GET", "/api/v1/openapi.yaml", get_openapi},
    {"GET", "/api/v1/connection", get_connections},
    {"DELETE", "/api/v1/connection", close_connections},
    {"DELETE", "/api/v1/connection/{}", close_connection},
    {"GET", "/api/v1/quota_scan", get_scans},
    {"POST", "/api/v1/quota_scan", start_scan},
    {"GET", "/api/v1/user", list_users},
    {"POST", "/api/v1/user", add_user},
    {"GET", "/api/v1/user/{}", get_user},
    {"PUT", "/api/v1/user/{}", update_user},
    {"DELETE", "/api/v1/user/{}", delete_user},
    {"GET", "/api/v1/dumpdata", dump_data},
    {"GET", "/api/v1/loaddata", load_data},
    {"GET", "/metrics", get_metrics},
};

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

std::span<const Route> routes() { return kRoutes; }

Match find_route(std::span<const Route> table, const std::string& method, const std::string& path) {
  Match match;
  match.refusal = envelope(404, "", "Not Found");
  for (const auto& route : table) {
    if (!fits(route.path, path, match.parameter)) continue;
    if (route.method == method) {
      match.route = &route;
      return match;
    }
    match.refusal = envelope(405, "", "Method not allowed");
  }
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
