// SPDX-License-Identifier: Apache-2.0
//
// Sleeps on the calling worker, in slices short enough for a session that ends meanwhile.
#include "object-common/backoff.h"

#include <algorithm>
#include <random>
#include <thread>

namespace object_common {
namespace {

constexpr std::chrono::milliseconds kSlice{50};

}  // namespace

std::optional<std::chrono::milliseconds> Backoff::next() {
  if (done_ >= policy_.attempts) return std::nullopt;
  ++done_;
  thread_local std::minstd_rand random{std::random_device{}()};
  // Never nothing at all: the other side needs the pause.
  const auto shortest = bound_.count() / 4;
  std::uniform_int_distribution<std::chrono::milliseconds::rep> pick(shortest, bound_.count());
  bound_ = std::min(bound_ * 2, policy_.longest);
  const std::chrono::milliseconds pause(pick(random));
  if (std::chrono::steady_clock::now() + pause >= until_) return std::nullopt;
  return pause;
}

bool Backoff::wait(const Stop& stop) {
  auto left = next();
  if (!left) return false;
  while (left->count() > 0) {
    if (stop && stop()) return false;
    const auto slice = std::min(*left, kSlice);
    std::this_thread::sleep_for(slice);
    *left -= slice;
  }
  return !stop || !stop();
}

}  // namespace object_common
