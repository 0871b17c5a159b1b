// SPDX-License-Identifier: Apache-2.0
//
// Who may run the set-up of a plugin: one caller at a time, as the SDK promises ([setup]), and none waits for another
// plugin's. A set-up may hang, so a worker of a pool lets another take its place while it waits or makes. Private to
// this folder.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "host/core/result.h"
#include "host/core/worker_pool.h"

namespace host::plugin {

inline constexpr std::size_t kMaxSetupCallers = 128;  // of one plugin, each on a thread beside those of its pool

class SetupTurns {
 public:
  class Turn;
  explicit SetupTurns(std::size_t max_callers = kMaxSetupCallers) : max_callers_(max_callers) {}

  // Waits for the turn, which lasts as long as what it gives; kBusy when too many wait already, kCancelled when the
  // session is gone: nobody would have what it makes, and a set-up that fails in its own time holds up the next. Any
  // thread.
  core::Result<std::unique_ptr<Turn>> take(std::string_view plugin, std::uint64_t session);
  // Who has the turn and who waits for it. Any thread.
  std::size_t callers(std::string_view plugin) const;

 private:
  struct Queue {
    std::size_t callers = 0;
    bool taken = false;
  };
  const std::size_t max_callers_;
  mutable std::mutex mutex_;
  std::condition_variable free_;
  std::map<std::string, Queue, std::less<>> queues_;  // names come from accounts: those nobody waits for are dropped
};

// Ends on the thread that took it.
class SetupTurns::Turn {
 public:
  Turn(SetupTurns& turns, std::string_view plugin, std::uint64_t session);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool has() const { return has_; }

 private:
  const core::WorkerPool::Aside aside_;
  SetupTurns& turns_;
  const std::string plugin_;
  bool has_ = false;
};

}  // namespace host::plugin
