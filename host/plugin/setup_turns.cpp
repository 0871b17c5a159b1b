// SPDX-License-Identifier: Apache-2.0
//
// Callers count as waiting from when they are let in, so that the bound holds while threads for them are still started.
#include "host/plugin/setup_turns.h"

#include <chrono>

#include "host/plugin/session_gone.h"

namespace host::plugin {
namespace {

constexpr auto kLook = std::chrono::milliseconds(100);  // between two looks at whether somebody still waits for it

}  // namespace

core::Result<std::unique_ptr<SetupTurns::Turn>> SetupTurns::take(std::string_view plugin, std::uint64_t session) {
  {
    const std::lock_guard lock(mutex_);
    auto& queue = queues_[std::string(plugin)];
    if (queue.callers == max_callers_) {
      return core::Error(core::Status::kBusy,
                         "too many wait for plugin " + std::string(plugin) + ", which is still being set up");
    }
    ++queue.callers;
  }
  auto turn = std::make_unique<Turn>(*this, plugin, session);  // stepping aside may start a thread: not under the lock
  if (turn->has()) return turn;
  return core::Error(core::Status::kCancelled, "nobody waits for plugin " + std::string(plugin) + " any more");
}

std::size_t SetupTurns::callers(std::string_view plugin) const {
  const std::lock_guard lock(mutex_);
  const auto queue = queues_.find(plugin);
  return queue != queues_.end() ? queue->second.callers : 0;
}

SetupTurns::Turn::Turn(SetupTurns& turns, std::string_view plugin, std::uint64_t session)
    : turns_(turns), plugin_(plugin) {
  std::unique_lock lock(turns_.mutex_);
  auto& queue = turns_.queues_.at(plugin_);
  while (queue.taken && !session_gone(session)) turns_.free_.wait_for(lock, kLook, [&] { return !queue.taken; });
  if (session_gone(session)) return;
  has_ = queue.taken = true;
}

SetupTurns::Turn::~Turn() {
  {
    const std::lock_guard lock(turns_.mutex_);
    const auto queue = turns_.queues_.find(plugin_);
    if (has_) queue->second.taken = false;
    if (--queue->second.callers == 0) turns_.queues_.erase(queue);
  }
  turns_.free_.notify_all();
}

}  // namespace host::plugin
