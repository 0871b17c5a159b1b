// SPDX-License-Identifier: Apache-2.0
//
// The services table handed to every plugin. Its functions are called from any thread, also a plugin's own, never block
// and never throw. Must not know users, sessions or protocols: what further services there are is decided by the
// caller.
#include "host/plugin/host_services.h"

#include <sallyport/version.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/plugin/error.h"
#include "host/plugin/session_gone.h"

namespace host::plugin {
namespace {

using core::log::Level;

// Almost always empty: plugins may ask in tight loops, so that case costs one atomic read.
struct CancelledSessions {
  std::atomic<std::size_t> count = 0;
  std::mutex mutex;
  std::unordered_map<std::uint64_t, unsigned> marks;
};

CancelledSessions& cancelled_sessions() {
  static CancelledSessions sessions;
  return sessions;
}

Level to_level(std::uint32_t level) {
  switch (level) {
    case SP_LOG_DEBUG: return Level::kDebug;
    case SP_LOG_INFO: return Level::kInfo;
    case SP_LOG_WARN: return Level::kWarn;
    default: return Level::kError;
  }
}

void SP_CALL log(const sp_host*, std::uint32_t level, sp_str component, sp_str text) noexcept {
  try {
    core::log::app(to_level(level), to_view(component), "", to_view(text).substr(0, core::limits::kMaxLogTextBytes));
  } catch (...) {
    return;  // a lost line is better than a lost process
  }
}

std::uint32_t SP_CALL log_enabled(const sp_host*, std::uint32_t level) noexcept {
  return core::log::enabled(to_level(level)) ? 1 : 0;
}

std::uint32_t SP_CALL cancelled(const sp_host*, const sp_op* op) noexcept {
  if (op == nullptr) return 0;
  if (op->deadline_ns != 0) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    if (std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() >= op->deadline_ns) return 1;
  }
  auto& sessions = cancelled_sessions();
  if (sessions.count.load(std::memory_order_acquire) == 0) return 0;
  const std::lock_guard lock(sessions.mutex);
  return sessions.marks.count(op->session_id) != 0 ? 1 : 0;
}

}  // namespace

bool session_gone(std::uint64_t session_id) {
  auto& sessions = cancelled_sessions();
  const std::lock_guard lock(sessions.mutex);
  return sessions.marks.count(session_id) != 0;
}

void mark_cancelled(std::uint64_t session_id) {
  auto& sessions = cancelled_sessions();
  const std::lock_guard lock(sessions.mutex);
  ++sessions.marks[session_id];
  sessions.count.store(sessions.marks.size(), std::memory_order_release);
}

void forget_cancelled(std::uint64_t session_id) {
  auto& sessions = cancelled_sessions();
  const std::lock_guard lock(sessions.mutex);
  const auto it = sessions.marks.find(session_id);
  if (it == sessions.marks.end()) return;
  if (--it->second == 0) sessions.marks.erase(it);
  sessions.count.store(sessions.marks.size(), std::memory_order_release);
}

HostServices::HostServices(Extensions extensions) : extensions_(std::move(extensions)) {
  table_.struct_size = sizeof table_;
  table_.abi = SP_ABI;
  table_.ctx = this;
  table_.name = "sallyport";
  table_.version = SALLYPORT_VERSION_STRING;
  table_.log = &log;
  table_.log_enabled = &log_enabled;
  table_.cancelled = &cancelled;
  table_.extension = [](const sp_host* host, const char* id) noexcept -> const void* {
    const auto& all = static_cast<const HostServices*>(host->ctx)->extensions_;
    const auto it = all.find(to_view(id));
    return it != all.end() ? it->second : nullptr;
  };
}

}  // namespace host::plugin
