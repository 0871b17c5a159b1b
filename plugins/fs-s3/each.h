// SPDX-License-Identifier: Apache-2.0
//
// Many requests of one operation, several on their way at once.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <sallyport/cpp/base.hpp>
#include <string>
#include <utility>

#include "object-common/task_pool.h"

namespace fs_s3 {

inline constexpr std::size_t kAtOnce = 8;

// Does `one(i)` for each i below count, on the caller's thread and on those of the pool that have time; the first
// failure ends it. `done` counts those that worked. Waits for what has begun, never for the pool, so that it may be
// nested.
inline sallyport::Outcome<void> each(object_common::TaskPool& pool, const std::string& store, std::size_t count,
                                     std::size_t& done,
                                     const std::function<sallyport::Outcome<void>(std::size_t)>& one) {
  struct State {
    std::mutex mutex;
    std::condition_variable ended;
    std::optional<sallyport::Failure> first;
    std::size_t next = 0, running = 0, good = 0;
  };
  const auto state = std::make_shared<State>();
  // Whoever starts when nothing is left does not touch `one`, which may be gone by then.
  const auto work = [state, count, &one] {
    std::unique_lock lock(state->mutex);
    while (!state->first && state->next < count) {
      const std::size_t mine = state->next++;
      ++state->running;
      lock.unlock();
      sallyport::Outcome<void> step = sallyport::Failure{SP_E_INTERNAL, "out of memory", 0};
      try {
        step = one(mine);
      } catch (const std::exception& e) {
        step = sallyport::Failure{SP_E_INTERNAL, e.what(), 0};
      }
      lock.lock();
      --state->running;
      if (step) {
        ++state->good;
      } else if (!state->first) {
        state->first = std::move(step.failure());
      }
    }
    if (state->running == 0) state->ended.notify_all();
  };
  for (std::size_t helper = 1; helper < std::min(count, kAtOnce); ++helper) {
    try {
      if (!pool.submit(work, store)) break;
    } catch (const std::exception&) {  // short of memory; those that have begun are waited for
      break;
    }
  }
  work();
  std::unique_lock lock(state->mutex);
  state->ended.wait(lock, [&] { return state->running == 0; });
  done = state->good;
  if (state->first) return *state->first;
  return {};
}

}  // namespace fs_s3
