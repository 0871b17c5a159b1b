// SPDX-License-Identifier: Apache-2.0
//
// What plugins ask of others (of an object store, say) and how long that takes, for monitoring. Whole process; any
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/histogram.h"

namespace host::core::request_times {

struct Reading {
  std::string plugin, request;
  Histogram::Reading times;
  std::uint64_t failures = 0;
};

// There are few of them: beyond a few hundred different ones new ones are not counted.
void note(std::string_view plugin, std::string_view request, bool good, std::chrono::nanoseconds time);
std::vector<Reading> read();  // in the order of their names

}  // namespace host::core::request_times
