// SPDX-License-Identifier: Apache-2.0
//
// How long something takes, for monitoring: counts in classes of time. Any thread; one addition costs two relaxed
// atomic operations on a cache line that few threads share.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace host::core {

class Histogram {
 public:
  // Upper bounds of the classes in nanoseconds; one more holds what took longer.
  static constexpr std::array<std::int64_t, 12> kBounds = {10'000,      50'000,      100'000,       500'000,
                                                           1'000'000,   5'000'000,   10'000'000,    50'000'000,
                                                           100'000'000, 500'000'000, 1'000'000'000, 10'000'000'000};
  static constexpr std::size_t kClasses = kBounds.size() + 1;

  struct Reading {
    std::array<std::uint64_t, kClasses> counts{};  // per class, not summed up
    std::uint64_t sum_ns = 0;

    std::uint64_t count() const;
    Reading& operator+=(const Reading& other);
  };

  void add(std::chrono::nanoseconds time);
  // What has been added by threads that are done is in it whole.
  Reading read() const;

 private:
  static constexpr std::size_t kStripes = 4;
  struct alignas(64) Stripe {
    std::array<std::atomic<std::uint64_t>, kClasses> counts{};
    std::atomic<std::uint64_t> sum_ns = 0;
  };
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace host::core
