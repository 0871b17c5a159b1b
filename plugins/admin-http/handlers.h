// SPDX-License-Identifier: Apache-2.0
//
// The endpoints. Threads of the HTTP server, several at once; each call may block.
#pragma once

#include "routes.h"

namespace admin_http {

// handlers_info.cpp
Answer get_version(const Request& request, Services& services);
Answer get_provider_status(const Request& request, Services& services);
Answer get_plugins(const Request& request, Services& services);
Answer get_health(const Request& request, Services& services);
Answer get_openapi(const Request& request, Services& services);
Answer get_metrics(const Request& request, Services& services);

// handlers_connections.cpp
Answer get_connections(const Request& request, Services& services);
Answer close_connection(const Request& request, Services& services);
Answer close_connections(const Request& request, Services& services);

// handlers_bans.cpp
Answer get_bans(const Request& request, Services& services);
Answer lift_ban(const Request& request, Services& services);

// handlers_users.cpp
Answer list_users(const Request& request, Services& services);
Answer add_user(const Request& request, Services& services);
Answer get_user(const Request& request, Services& services);
Answer update_user(const Request& request, Services& services);
Answer delete_user(const Request& request, Services& services);

// handlers_jobs.cpp
Answer get_scans(const Request& request, Services& services);
Answer start_scan(const Request& request, Services& services);
Answer dump_data(const Request& request, Services& services);
Answer load_data(const Request& request, Services& services);

// The status code that a failure of the host stands for, with its text.
Answer failure(const Reply& reply);

}  // namespace admin_http
