// SPDX-License-Identifier: Apache-2.0
//
// One row per endpoint. Constant data; any thread.
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
    {"GET", "/api/v1/ban", get_bans},
    {"DELETE", "/api/v1/ban", lift_ban},
    {"GET", "/api/v1/quota_scan", get_scans},
    {"POST", "/api/v1/quota_scan", start_scan},
    {"GET", "/api/v1/user", list_users},
    {"POST", "/api/v1/user", add_user},
    {"GET", "/api/v1/user/{}", get_user},
    {"PUT", "/api/v1/user/{}", update_user},
    {"DELETE", "/api/v1/user/{}", delete_user},
    {"GET", "/api/v1/dumpdata", dump_data, false, true},
    {"GET", "/api/v1/loaddata", load_data, false, true},
    {"GET", "/metrics", get_metrics},
};

}  // namespace

std::span<const Route> routes() { return kRoutes; }

}  // namespace admin_http
