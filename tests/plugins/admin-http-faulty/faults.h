// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace admin_http {

// Ends the HTTP server soon; the host is not told.
void end_server();

}  // namespace admin_http
