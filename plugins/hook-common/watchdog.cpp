// SPDX-License-Identifier: Apache-2.0
//
// Acts run under the lock: whoever calls one off can be sure about it, which is what keeps a killed process and the
// number of another one apart.
#include "hook-common/watchdog.h"

#include <algorithm>
#include <utility>

namespace hook_common {

Watchdog::Watchdog() : thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    auto next = kNever;
    const auto now = Clock::now();
    for (auto& [when, act] : acts_) {
      if (when <= now) when = act();
      next = std::min(next, when);
    }
    if (next == kNever) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, next);
    }
  }
}

Watchdog::Watch::Watch(Watchdog& dog, Clock::time_point when, Act act) : dog_(dog) {
  const std::lock_guard lock(dog_.mutex_);
  at_ = dog_.acts_.emplace(dog_.acts_.end(), when, std::move(act));
  dog_.changed_.notify_all();
}

Watchdog::Watch::~Watch() {
  const std::lock_guard lock(dog_.mutex_);
  dog_.acts_.erase(at_);
}

}  // namespace hook_common
