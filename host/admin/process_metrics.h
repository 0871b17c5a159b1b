// SPDX-License-Identifier: Apache-2.0
//
// The process as the operating system sees it, under the names that every Prometheus client uses.
#pragma once

#include <string_view>
#include <vector>

namespace host::admin {

struct ProcessMetric {
  std::string_view name, type, help;
  double value = 0;
};

// What cannot be found out is left out. Reads a few files.
std::vector<ProcessMetric> process_metrics();

}  // namespace host::admin
