// SPDX-License-Identifier: Apache-2.0
//
// The text format of Prometheus, version 0.0.4. Names of the replaced system are those that its dashboards query.
#include "metrics.h"

#include <nlohmann/json.hpp>

namespace admin_http {
namespace {

using Json = nlohmann::ordered_json;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out;
}

// {a="b",le="0.1"}; `bound` is that of a histogram's class, or empty.
std::string labels_of(const Json& sample, const std::string& bound = "") {
  std::string out;
  const auto add = [&](const std::string& name, const std::string& value) {
    out += (out.empty() ? "" : ",") + name + "=\"" + escaped(value) + "\"";
  };
  for (const auto& [name, value] : sample.at("labels").items()) add(name, value.get<std::string>());
  if (!bound.empty()) add("le", bound);
  return out.empty() ? out : "{" + out + "}";
}

void write_histogram(std::string& out, const std::string& name, const Json& sample) {
  const auto& bounds = sample.at("bounds");
  const auto& counts = sample.at("counts");
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += counts.at(i).get<std::uint64_t>();
    const std::string bound = i < bounds.size() ? bounds.at(i).dump() : "+Inf";
    out += name + "_bucket" + labels_of(sample, bound) + " " + std::to_string(sum) + "\n";
  }
  out += name + "_sum" + labels_of(sample) + " " + sample.at("sum").dump() + "\n";
  out += name + "_count" + labels_of(sample) + " " + std::to_string(sum) + "\n";
}

void write_head(std::string& out, const std::string& name, const std::string& type, const std::string& help) {
  out += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
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
  for (const auto& metric : Json::parse(host_metrics_json)) {
    if (metric.at("samples").empty()) continue;
    const std::string name = metric.at("name"), type = metric.at("type");
    write_head(out, name, type, metric.at("help"));
    for (const auto& sample : metric.at("samples")) {
      if (type == "histogram") {
        write_histogram(out, name, sample);
      } else {
        out += name + labels_of(sample) + " " + sample.at("value").dump() + "\n";
      }
    }
  }
  const auto counter = [&](const char* name, const char* help, const std::atomic<std::uint64_t>& value) {
    write_head(out, name, "counter", help);
    out += std::string(name) + " " + std::to_string(value.load()) + "\n";
  };
  counter("sftpgo_http_req_total", "HTTP requests", requests_);
  counter("sftpgo_http_req_ok_total", "HTTP requests answered with 2xx", good_);
  counter("sftpgo_http_client_errors_total", "HTTP requests answered with 4xx", client_errors_);
  counter("sftpgo_http_server_errors_total", "HTTP requests answered with 5xx", server_errors_);
  return out;
}

}  // namespace admin_http
