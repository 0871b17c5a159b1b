// SPDX-License-Identifier: Apache-2.0
//
// What runs here and how it is.
#include "handlers.h"
#include "openapi.h"

namespace admin_http {

Answer failure(const Reply& reply) {
  switch (reply.status) {
    case SP_E_INVALID: return envelope(400, reply.error, "");
    case SP_E_DENIED: return envelope(403, reply.error, "");
    case SP_E_NOT_FOUND: return envelope(404, reply.error, "");
    case SP_E_EXISTS:
    case SP_E_CONFLICT: return envelope(409, reply.error, "");
    case SP_E_BUSY: return envelope(503, reply.error, "");
    default: return envelope(500, reply.error, "");
  }
}

Answer get_version(const Request&, Services& services) {
  const auto* info = services.host.info;
  const auto reply = ask([&](auto* out, auto* error) { return info->version(info->ctx, out, error); });
  return reply ? json_answer(200, reply.text) : failure(reply);
}

Answer get_plugins(const Request&, Services& services) {
  const auto* info = services.host.info;
  const auto reply = ask([&](auto* out, auto* error) { return info->plugins(info->ctx, out, error); });
  return reply ? json_answer(200, reply.text) : failure(reply);
}

Answer get_provider_status(const Request&, Services& services) {
  const auto* info = services.host.info;
  const auto reply = ask([&](auto*, auto* error) { return info->provider_status(info->ctx, error); });
  return reply ? envelope(200, "", "Alive") : envelope(500, reply.error, "");
}

// For load balancers and supervisors, which have no password: that it answers is all that it tells.
Answer get_health(const Request&, Services&) { return envelope(200, "", "Alive"); }

Answer get_openapi(const Request&, Services&) { return {200, "application/yaml", kOpenApi}; }

Answer get_metrics(const Request&, Services& services) {
  const auto* info = services.host.info;
  const auto reply = ask([&](auto* out, auto* error) { return info->metrics(info->ctx, out, error); });
  if (!reply) return failure(reply);
  return {200, "text/plain; version=0.0.4; charset=utf-8", services.metrics.text(reply.text)};
}

}  // namespace admin_http
