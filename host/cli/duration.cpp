// SPDX-License-Identifier: Apache-2.0
//
// One pass over number and unit pairs, largest unit first or not. Pure function.
#include "host/cli/duration.h"

#include <charconv>
#include <cstdint>
#include <iterator>
#include <string>

namespace host::cli {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
// "ms" before "m", which it begins with.
constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr std::int64_t kMaxMs = 366 * kUnits[std::size(kUnits) - 1].ms;

}  // namespace

core::Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const core::Error refused(
      core::Status::kInvalid,
      "found \"" + std::string(text) + "\", allowed is a time such as 90, 90s, 500ms or 1h30m, at most 366d");
  std::int64_t sum = 0;
  for (std::string_view rest = text; !rest.empty() || sum == 0;) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc() || number < 0 || number > kMaxMs) return refused;
    const bool alone = rest.size() == text.size() && end == rest.data() + rest.size();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    Unit unit = {"", 1000};
    for (auto it = std::rbegin(kUnits); it != std::rend(kUnits); ++it) {
      if (rest.starts_with(it->name)) unit = *it;
    }
    if (unit.name.empty() && !alone) return refused;
    rest.remove_prefix(unit.name.size());
    if (number > kMaxMs / unit.ms || (sum += number * unit.ms) > kMaxMs) return refused;
    if (rest.empty() && sum == 0) return refused;
  }
  return std::chrono::milliseconds(sum);
}

}  // namespace host::cli
