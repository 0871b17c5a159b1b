// SPDX-License-Identifier: Apache-2.0
//
// What is done when programs have ended: what their accounts hold is counted anew, which may take long. For one account
// one count runs at a time; all that end meanwhile share the next one.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "host/core/worker_pool.h"

namespace host::commands {

class AfterPrograms {
 public:
  using Job = std::function<void()>;

  AfterPrograms();

  // Calls `done` after a `count` that began later than this call: this one, or that of another program of the account.
  // Both on a thread of ours. Any thread.
  void count(const std::string& account, Job count, Job done);
  // Calls `done` on a thread of ours. Any thread.
  void settle(Job done);
  // Waits for all of them. From outside; no more calls then.
  void stop();

 private:
  struct Due {
    Job count;
    std::vector<Job> done;
  };
  void run(const std::string& account);

  std::mutex mutex_;
  std::map<std::string, Due> due_;  // by account; empty: its count runs and none is due. Under mutex_
  core::WorkerPool pool_;
};

}  // namespace host::commands
