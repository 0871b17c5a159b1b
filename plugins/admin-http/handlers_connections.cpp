// SPDX-License-Identifier: Apache-2.0
//
// Live connections: who there is, and ending them.
#include "handlers.h"

namespace admin_http {

Answer get_connections(const Request&, Services& services) {
  const auto* sessions = services.host.sessions;
  const auto reply = ask([&](auto* out, auto* error) { return sessions->list(sessions->ctx, out, error); });
  return reply ? json_answer(200, reply.text) : failure(reply);
}

Answer close_connection(const Request& request, Services& services) {
  const auto* sessions = services.host.sessions;
  const auto reply =
      ask([&](auto*, auto* error) { return sessions->close(sessions->ctx, sallyport::str(request.parameter), error); });
  if (reply) return envelope(200, "", "Connection closed");
  return reply.status == SP_E_NOT_FOUND ? envelope(404, "", "Not Found") : failure(reply);
}

Answer close_connections(const Request& request, Services& services) {
  const auto username = request.get("username");
  if (username.empty()) return envelope(400, "Missing username", "");
  const auto* sessions = services.host.sessions;
  std::uint64_t count = 0;
  const auto reply = ask(
      [&](auto*, auto* error) { return sessions->close_user(sessions->ctx, sallyport::str(username), &count, error); });
  if (!reply) return failure(reply);
  return envelope(200, "", std::to_string(count) + (count == 1 ? " connection closed" : " connections closed"));
}

}  // namespace admin_http
