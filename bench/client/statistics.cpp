// SPDX-License-Identifier: Apache-2.0
//
// Percentiles of latency samples. Pure.
#include "bench/client/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace bench::client {

double percentile(std::vector<double> samples, double percent) {
  if (samples.empty()) {
    return 0;
  }
  std::ranges::sort(samples);
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100.0 * static_cast<double>(samples.size())));
  return samples[std::clamp<std::size_t>(rank, 1, samples.size()) - 1];
}

}  // namespace bench::client
