// SPDX-License-Identifier: Apache-2.0
//
// Live sessions. The host offers no table of them yet: as far as this API can tell there are none.
#include "handlers.h"

namespace admin_http {

Answer get_connections(const Request&, Services&) { return json_answer(200, "[]"); }

Answer close_connection(const Request&, Services&) { return envelope(404, "", "Not Found"); }

}  // namespace admin_http
