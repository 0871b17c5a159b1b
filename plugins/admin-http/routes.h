// SPDX-License-Identifier: Apache-2.0
//
// The table of endpoints: path and method to handler. Pure data; any thread.
#pragma once

#include <span>
#include <string>

#include "answer.h"
#include "host_api.h"
#include "metrics.h"

namespace admin_http {

// What handlers work with.
struct Services {
  HostApi host;
  Metrics metrics;
};

using Handler = Answer (*)(const Request& request, Services& services);

struct Route {
  std::string_view method;
  std::string_view path;  // "{}" stands for one segment
  Handler handler;
  bool open = false;  // needs no authentication
  bool acts = false;  // a GET that changes something
};

std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;  // null: `refusal` is the answer
  std::string parameter;
  Answer refusal;
};
Match find_route(std::span<const Route> table, const std::string& method, const std::string& path);

// Runs a handler; whatever it throws becomes an answer with status 500.
Answer run_handler(const Route& route, const Request& request, Services& services) noexcept;

}  // namespace admin_http
