// SPDX-License-Identifier: Apache-2.0
//
// Where passwords are hashed: few at a time, because each hash takes a core and much memory, on workers of its own, so
// that logins by key do not wait behind guessed passwords, and in turns of clients, so that nobody waits behind all
// that one address guesses.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "host/core/worker_pool.h"

namespace host::auth {

class Hashing {
 public:
  Hashing();

  // Jobs of one client (an address; an IPv6 one counts as its /64) run in their order. False when too many wait. Any
  // thread.
  [[nodiscard]] bool submit(std::string_view client_ip, core::WorkerPool::Job job);
  // Runs what waits, then joins.
  void stop() { pool_.stop(); }

 private:
  void run_next();

  std::mutex mutex_;  // taken before the pool's own
  std::unordered_map<std::string, std::deque<core::WorkerPool::Job>> waiting_;
  std::deque<std::string> turns_;  // the keys of waiting_
  core::WorkerPool pool_;          // one job for each that waits
};

}  // namespace host::auth
