// SPDX-License-Identifier: Apache-2.0
//
// Edit distance over the table of keys and their sections. A key in the wrong section counts as nearly right. Pure
// functions; any thread.
#include "host/config/nearest.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "host/config/keys.h"

namespace host::config {
namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('.') + 1); }

}  // namespace

std::string_view nearest_key(std::string_view path) {
  constexpr std::size_t kLongest = 200;  // what no key resembles need not be measured
  if (path.size() > kLongest) return {};
  std::string_view best;
  std::size_t least = std::max<std::size_t>(2, path.size() / 5) + 1;  // at this distance it is another word
  const auto consider = [&](std::string_view known) {
    const auto found = std::min(distance(path, known), distance(last_part(path), last_part(known)) + 1);
    if (found < least) {
      least = found;
      best = known;
    }
  };
  for (const Key& key : keys()) {
    consider(key.path);
    for (auto dot = key.path.rfind('.'); dot != std::string_view::npos && dot > 0; dot = key.path.rfind('.', dot - 1))
      consider(key.path.substr(0, dot));
  }
  return best;
}

}  // namespace host::config
