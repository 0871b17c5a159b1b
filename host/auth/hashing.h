// SPDX-License-Identifier: Apache-2.0
//
// Where passwords are hashed: few at a time, because each hash takes a core and much memory, on workers of its own, so
// that logins by key do not wait behind guessed passwords, and in turns of clients and of the names they try, so that
// nobody waits behind all that one address guesses.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "host/core/worker_pool.h"

namespace host::auth {

class Hashing {
 public:
  Hashing();

  // Jobs of one client (an address; an IPv6 one counts as its /64) and name run in their order. False when too many
  // wait. Any thread.
  [[nodiscard]] bool submit(std::string_view client_ip, const std::string& username, core::WorkerPool::Job job);
  // Runs what waits, then joins.
  void stop() { pool_.stop(); }

 private:
  using Job = core::WorkerPool::Job;
  // Those for whom something waits, in the order of their turns.
  template <class Waiting>
  struct Turns {
    std::unordered_map<std::string, Waiting> waiting;
    std::deque<std::string> order;  // the keys of `waiting`

    bool empty() const { return order.empty(); }
    Waiting& of(const std::string& who) {
      const auto [found, added] = waiting.try_emplace(who);
      if (added) order.push_back(who);
      return found->second;
    }
    // `take` takes one thing of whose turn it is.
    template <class Take>
    Job next(const Take& take) {
      auto who = std::move(order.front());
      order.pop_front();
      const auto found = waiting.find(who);
      Job job = take(found->second);
      if (found->second.empty()) {
        waiting.erase(found);
      } else {
        order.push_back(std::move(who));
      }
      return job;
    }
  };
  using Names = Turns<std::deque<Job>>;

  void run_next();

  std::mutex mutex_;  // taken before the pool's own
  Turns<Names> clients_;
  core::WorkerPool pool_;  // one job for each that waits
};

}  // namespace host::auth
