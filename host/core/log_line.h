// SPDX-License-Identifier: Apache-2.0
//
// One log line under construction: a flat JSON object whose members keep the order in which they were added. Texts may
// hold any bytes; what is not UTF-8 becomes U+FFFD, so that every line parses.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace host::core::log {

class Line {
 public:
  Line(std::string_view level, std::string_view sender);  // adds level, time (now) and sender

  Line& text(std::string_view name, std::string_view value);  // cut at kMaxLogTextBytes
  Line& number(std::string_view name, std::int64_t value);
  // The finished line without its newline; nothing may be added afterwards.
  std::string_view finish();

 private:
  void name(std::string_view name);

  std::string out_;
};

// Appends the JSON string literal of `value`, quotes included.
void append_quoted(std::string& out, std::string_view value);

// Local time as 2006-01-02T15:04:05.000.
std::string local_time(std::chrono::system_clock::time_point when);

}  // namespace host::core::log
