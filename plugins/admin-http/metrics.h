// SPDX-License-Identifier: Apache-2.0
//
// Counters of HTTP requests, and everything for monitoring as text. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace admin_http {

class Metrics {
 public:
  void count(int status);
  // Prometheus text format 0.0.4: the host's counters and our own.
  std::string text(std::string_view host_metrics_json) const;

 private:
  std::atomic<std::uint64_t> requests_ = 0, good_ = 0, client_errors_ = 0, server_errors_ = 0;
};

}  // namespace admin_http
