// SPDX-License-Identifier: Apache-2.0
#include "host/core/histogram.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace host::core {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, TimesFallIntoTheirClasses) {
  Histogram histogram;
  for (const auto time : {-1ns, 0ns, 10'000ns, 10'001ns, 1'000'000ns}) histogram.add(time);
  histogram.add(11s);
  const auto reading = histogram.read();
  EXPECT_EQ(reading.counts[0], 3u);
  EXPECT_EQ(reading.counts[1], 1u);
  EXPECT_EQ(reading.counts[4], 1u) << "a bound belongs to its class";
  EXPECT_EQ(reading.counts.back(), 1u);
  EXPECT_EQ(reading.count(), 6u);
  EXPECT_EQ(reading.sum_ns, 10'000u + 10'001u + 1'000'000u + 11'000'000'000u);
}

TEST(Histogram, NothingIsLostBetweenThreads) {
  Histogram histogram;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) histogram.add(3ns);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(histogram.read().count(), 8000u);
  EXPECT_EQ(histogram.read().sum_ns, 24000u);
}

}  // namespace
}  // namespace host::core
