// SPDX-License-Identifier: Apache-2.0
//
// Threads are spread over a few stripes in the order in which they first count.
#include "host/core/histogram.h"

#include <algorithm>
#include <numeric>

namespace host::core {

std::uint64_t Histogram::Reading::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

Histogram::Reading& Histogram::Reading::operator+=(const Reading& other) {
  for (std::size_t i = 0; i < kClasses; ++i) counts[i] += other.counts[i];
  sum_ns += other.sum_ns;
  return *this;
}

void Histogram::add(std::chrono::nanoseconds time) {
  static std::atomic<unsigned> threads = 0;
  thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed) % kStripes;
  const auto ns = std::max<std::int64_t>(time.count(), 0);
  const auto found = static_cast<std::size_t>(std::lower_bound(kBounds.begin(), kBounds.end(), ns) - kBounds.begin());
  auto& stripe = stripes_[mine];
  stripe.counts[found].fetch_add(1, std::memory_order_relaxed);
  stripe.sum_ns.fetch_add(static_cast<std::uint64_t>(ns), std::memory_order_relaxed);
}

Histogram::Reading Histogram::read() const {
  Reading reading;
  for (const auto& stripe : stripes_) {
    for (std::size_t i = 0; i < kClasses; ++i) reading.counts[i] += stripe.counts[i].load(std::memory_order_relaxed);
    reading.sum_ns += stripe.sum_ns.load(std::memory_order_relaxed);
  }
  return reading;
}

}  // namespace host::core
