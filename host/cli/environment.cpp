// SPDX-License-Identifier: Apache-2.0
//
// Reading variables before any thread exists.
#include "host/cli/environment.h"

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace host::cli {
namespace {

std::string_view value_of(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

core::Error refused(const char* name, std::string_view found, const char* allowed) {
  return {core::Status::kInvalid, std::string(name) + ": found \"" + std::string(found) + "\", allowed is " + allowed};
}

}  // namespace

std::string text_from_environment(const char* name, std::string fallback) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::move(fallback) : value;
}

core::Result<std::uint32_t> number_from_environment(const char* name, std::uint32_t fallback) {
  const auto value = value_of(name);
  if (value.empty()) return fallback;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return refused(name, value, "a whole number from 0");
  return number;
}

core::Result<bool> switch_from_environment(const char* name, bool fallback) {
  const auto value = value_of(name);
  if (value.empty()) return fallback;
  if (value == "1" || value == "true") return true;
  if (value == "0" || value == "false") return false;
  return refused(name, value, "1, true, 0 or false");
}

}  // namespace host::cli
