// SPDX-License-Identifier: Apache-2.0
//
// Callers count as waiting from when they are let in, so that the bound holds while threads for them are still started.
#include "host/plugin/setup_turns.h"

namespace host::plugin {

core::Result<std::unique_ptr<SetupTurns::Turn>> SetupTurns::take(std::string_view plugin) {
  {
    const std::lock_guard lock(mutex_);
    auto& queue = queues_[std::string(plugin)];
    if (queue.callers == max_callers_) {
      return core::Error(core::Status::kBusy,
                         "too many wait for plugin " + std::string(plugin) + ", which is still being set up");
    }
    ++queue.callers;
  }
  return std::make_unique<Turn>(*this, plugin);  // stepping aside may start a thread: not under the lock
}

std::size_t SetupTurns::callers(std::string_view plugin) const {
  const std::lock_guard lock(mutex_);
  const auto queue = queues_.find(plugin);
  return queue != queues_.end() ? queue->second.callers : 0;
}

SetupTurns::Turn::Turn(SetupTurns& turns, std::string_view plugin) : turns_(turns), plugin_(plugin) {
  std::unique_lock lock(turns_.mutex_);
  auto& queue = turns_.queues_.at(plugin_);
  turns_.free_.wait(lock, [&] { return !queue.taken; });
  queue.taken = true;
}

SetupTurns::Turn::~Turn() {
  {
    const std::lock_guard lock(turns_.mutex_);
    const auto queue = turns_.queues_.find(plugin_);
    queue->second.taken = false;
    if (--queue->second.callers == 0) turns_.queues_.erase(queue);
  }
  turns_.free_.notify_all();
}

}  // namespace host::plugin
