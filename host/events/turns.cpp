// SPDX-License-Identifier: Apache-2.0
//
// Who has come first need not be served first: there are few of them, and each has its deadline.
#include "host/events/turns.h"

#include <algorithm>

namespace host::events {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLook = std::chrono::milliseconds(100);  // between two looks at whether somebody still waits for it

}  // namespace

Turns::Turn::~Turn() {
  if (!has_) return;
  {
    const std::lock_guard lock(turns_.mutex_);
    --turns_.taken_;
  }
  turns_.freed_.notify_one();
}

bool Turns::take(const Cancelled& cancelled) {
  std::unique_lock lock(mutex_);
  const auto free = [this] { return taken_ < at_once_; };
  if (!free()) {
    if (waiting_ >= most_waiting_) return false;
    const auto until = Clock::now() + patience_;
    ++waiting_;
    while (!freed_.wait_until(lock, std::min(until, Clock::now() + kLook), free)) {
      if (Clock::now() >= until || cancelled()) break;
    }
    --waiting_;
  }
  if (!free()) return false;
  ++taken_;
  return true;
}

}  // namespace host::events
