// SPDX-License-Identifier: Apache-2.0
//
// Who is refused because of failed logins, and letting them in again.
#include "handlers.h"

namespace admin_http {

Answer get_bans(const Request&, Services& services) {
  const auto* bans = services.host.bans;
  const auto reply = ask([&](auto* out, auto* error) { return bans->list(bans->ctx, out, error); });
  return reply ? json_answer(200, reply.text) : failure(reply);
}

Answer lift_ban(const Request& request, Services& services) {
  const auto network = request.get("network"), username = request.get("username");
  if (network.empty()) return envelope(400, "Missing network", "");
  const auto* bans = services.host.bans;
  const auto reply = ask([&](auto*, auto* error) {
    return bans->lift(bans->ctx, sallyport::str(network), sallyport::str(username), error);
  });
  if (reply) return envelope(200, "", "Ban lifted");
  return reply.status == SP_E_NOT_FOUND ? envelope(404, "", "Not Found") : failure(reply);
}

}  // namespace admin_http
