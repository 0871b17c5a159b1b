// SPDX-License-Identifier: Apache-2.0
//
// Threads of its own: counting must not keep programs from being started. At most one job per account waits, so the
// queue is no longer than there are programs.
#include "host/commands/after_programs.h"

#include <utility>

#include "host/commands/limits.h"

namespace host::commands {

AfterPrograms::AfterPrograms() : pool_("after-programs", limits::kCountThreads, limits::kMaxPrograms) {}

void AfterPrograms::count(const std::string& account, Job count, Job done) {
  {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = due_.try_emplace(account);
    place->second.count = std::move(count);
    place->second.done.push_back(std::move(done));
    if (!is_new) return;
  }
  pool_.submit_cleanup([this, account] { run(account); });
}

void AfterPrograms::settle(Job done) { pool_.submit_cleanup(std::move(done)); }

void AfterPrograms::run(const std::string& account) {
  for (;;) {
    Due now;
    {
      const std::lock_guard lock(mutex_);
      const auto place = due_.find(account);
      if (place->second.done.empty()) {
        due_.erase(place);
        return;
      }
      now = std::exchange(place->second, {});
    }
    now.count();
    for (const auto& done : now.done) done();
  }
}

void AfterPrograms::stop() { pool_.stop(); }

}  // namespace host::commands
