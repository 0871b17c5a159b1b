// SPDX-License-Identifier: Apache-2.0
//
// One writer at most, which takes user after user until nobody waits: who logs in again meanwhile is written once more,
// not once per login.
#include "host/auth/last_logins.h"

#include <utility>

#include "host/auth/auth_limits.h"
#include "host/core/log.h"

namespace host::auth {
LastLogins::LastLogins(Write write) : write_(std::move(write)), pool_("last-logins", 1, 1) {}

void LastLogins::note(const std::string& username, std::int64_t at_ms) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kMaxLastLogins && !waiting_.contains(username)) {
    if (!std::exchange(full_, true))
      core::log::error("auth", "", "the data provider does not take last logins in time; some are not recorded");
    return;
  }
  waiting_[username] = at_ms;
  if (!writing_) writing_ = pool_.submit([this] { write_all(); });
}

bool LastLogins::take(std::string& username, std::int64_t& at_ms) {
  const std::lock_guard lock(mutex_);
  writing_ = !waiting_.empty();
  if (!writing_) {
    full_ = false;
    return false;
  }
  auto next = waiting_.extract(waiting_.begin());
  username = std::move(next.key());
  at_ms = next.mapped();
  return true;
}

void LastLogins::write_all() {
  std::string username;
  std::int64_t at_ms = 0;
  while (take(username, at_ms)) {
    const auto done = write_(username, at_ms);
    if (done || done.error().status == core::Status::kDenied) continue;  // denied: manage_users is 0
    core::log::warn("auth", "", "user " + username + ": last login not recorded: " + done.error().message());
    const std::lock_guard lock(mutex_);
    if (!stopping_ || waiting_.empty()) continue;
    core::log::warn("auth", "", std::to_string(waiting_.size()) + " more last logins are not recorded");
    waiting_.clear();
  }
}

void LastLogins::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  pool_.stop();
}

}  // namespace host::auth
