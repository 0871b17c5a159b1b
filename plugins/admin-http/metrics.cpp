// SPDX-License-Identifier: Apache-2.0
//
// Names are those that dashboards of the replaced system query.
#include "metrics.h"

#include <nlohmann/json.hpp>

namespace admin_http {
namespace {

void line(std::string& out, const std::string& name, const std::string& type, const std::string& help,
          const std::string& value) {
  out += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name + " " + value + "\n";
}

}  // namespace

void Metrics::count(int status) {
  ++requests_;
  if (status >= 200 && status < 300) ++good_;
  if (status >= 400 && status < 500) ++client_errors_;
  if (status >= 500) ++server_errors_;
}

std::string Metrics::text(std::string_view host_metrics_json) const {
  std::string out;
  const auto json = nlohmann::ordered_json::parse(host_metrics_json);
  for (const auto& metric : json) {
    line(out, metric.at("name"), metric.at("type"), metric.at("help"), metric.at("value").dump());
  }
  const auto counter = [&](const char* name, const char* help, const std::atomic<std::uint64_t>& value) {
    line(out, name, "counter", help, std::to_string(value.load()));
  };
  counter("sftpgo_http_req_total", "HTTP requests", requests_);
  counter("sftpgo_http_req_ok_total", "HTTP requests answered with 2xx", good_);
  counter("sftpgo_http_client_errors_total", "HTTP requests answered with 4xx", client_errors_);
  counter("sftpgo_http_server_errors_total", "HTTP requests answered with 5xx", server_errors_);
  return out;
}

}  // namespace admin_http
