// SPDX-License-Identifier: Apache-2.0
//
// What the real service has, as far as a test needs it, and handlers that throw.
#include <unistd.h>

#include <stdexcept>

#include "faults.h"
#include "handlers.h"

namespace admin_http {
namespace {

Answer throw_exception(const Request&, Services&) { throw std::runtime_error("the handler is broken"); }
Answer throw_number(const Request&, Services&) { throw 42; }
Answer large(const Request&, Services&) { return {200, "text/plain", std::string(64 * 1024 * 1024, 'x')}; }
// As a data provider whose database never answers would.
Answer hang(const Request&, Services&) {
  for (;;) ::pause();
}
Answer end(const Request&, Services&) {
  end_server();
  return envelope(200, "", "Ending");
}

constexpr Route kRoutes[] = {
    {"GET", "/api/v1/health", get_health, true},
    {"GET", "/api/v1/connection", get_connections},
    {"GET", "/api/v1/test/throw", throw_exception},
    {"GET", "/api/v1/test/throw_number", throw_number},
    {"GET", "/api/v1/test/large", large},
    {"POST", "/api/v1/test/body", get_health},
    {"GET", "/api/v1/test/hang", hang},
    {"GET", "/api/v1/test/end", end},
};

}  // namespace

std::span<const Route> routes() { return kRoutes; }

}  // namespace admin_http
