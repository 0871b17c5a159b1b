// SPDX-License-Identifier: Apache-2.0
//
// Makes faults happen. Worker threads. The host has no call for "end this session" but one for all sessions of an
// account, meant for services; whoever tests a client is usually alone.
#include "trouble.h"

#include <sallyport/ext/host_ext.h>

#include <algorithm>
#include <thread>

namespace fs_fault {

using sallyport::Failure;
using sallyport::Outcome;

Outcome<void> Trouble::meet(Operation operation, const sp_op& op) const { return suffer(faults_->next(operation), op); }

Outcome<bool> Trouble::meet_read(const sp_op& op, std::size_t& bytes) const {
  const auto effect = faults_->next(Operation::kRead);
  if (auto done = suffer(effect, op); !done) return done.failure();
  if (!effect.short_bytes || *effect.short_bytes >= bytes) return false;
  bytes = *effect.short_bytes;
  return true;
}

Outcome<void> Trouble::suffer(const Effect& effect, const sp_op& op) const {
  wait(effect.delay, op);
  if (effect.drop) {
    drop();
    return Failure{SP_E_CANCELLED, "fault injected: connection dropped", 0};
  }
  if (effect.error != SP_OK) return Failure{effect.error, "fault injected", effect.native};
  return {};
}

// In pieces, so that a stop of the host or the end of the session ends it.
void Trouble::wait(std::chrono::milliseconds time, const sp_op& op) const {
  constexpr auto kPiece = std::chrono::milliseconds(20);
  const auto end = std::chrono::steady_clock::now() + time;
  for (auto now = end - time; now < end && !sallyport::cancelled(*host_, op); now = std::chrono::steady_clock::now()) {
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(kPiece, end - now));
  }
}

void Trouble::drop() const {
  const auto* sessions = static_cast<const sp_host_sessions*>(host_->extension(host_, SP_EXT_HOST_SESSIONS));
  if (sessions == nullptr) return;
  std::uint64_t count = 0;
  sp_error error{};
  error.struct_size = sizeof error;
  sessions->close_user(sessions->ctx, sallyport::str(user_), &count, &error);
}

}  // namespace fs_fault
