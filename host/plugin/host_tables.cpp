// SPDX-License-Identifier: Apache-2.0
//
// From C calls of services to the host's interfaces and back. Threads of services, several at once. The barrier that no
// exception crosses; must not know what an account, a job or a metric is.
#include "host/plugin/host_tables.h"

#include <sallyport/ext/host_ext.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>

#include "host/core/request_times.h"
#include "host/plugin/error.h"

namespace host::plugin {
namespace {

using core::Error;
using core::Result;
using core::Status;

sp_status tell(sp_error* out, const Error& error) {
  const auto status = error.status == Status::kOk ? SP_E_INTERNAL : static_cast<sp_status>(error.status);
  if (out == nullptr || out->struct_size < sizeof(sp_error)) return status;
  const std::string text = error.message();
  const std::size_t length = std::min(text.size(), sizeof out->message - 1);
  out->status = status;
  out->native_code = error.native;
  out->flags = 0;
  std::memcpy(out->message, text.data(), length);
  out->message[length] = '\0';
  return status;
}

sp_status deliver(const sp_sink* sink, std::string_view text) {
  return sink->write(sink->ctx, {text.data(), text.size()});
}

// Runs `body`, which answers Result<void>, on what a table stands for.
template <class Port, class Body>
sp_status call(void* ctx, sp_error* error, Body&& body) noexcept {
  try {
    auto* const port = *static_cast<Port**>(ctx);
    if (port == nullptr) return tell(error, {Status::kBusy, "the server is starting or stopping"});
    const Result<void> done = body(*port);
    return done ? SP_OK : tell(error, done.error());
  } catch (const std::exception& e) {
    try {
      return tell(error, {Status::kInternal, e.what()});
    } catch (...) {
      return SP_E_INTERNAL;
    }
  } catch (...) {
    return SP_E_INTERNAL;
  }
}

// The same for calls with a text as their result.
template <class Port, class Body>
sp_status call_for_text(void* ctx, const sp_sink* sink, sp_error* error, Body&& body) noexcept {
  return call<Port>(ctx, error, [&](Port& port) -> Result<void> {
    const Result<std::string> text = body(port);
    if (!text) return text.error();
    if (deliver(sink, *text) != SP_OK) return Error(Status::kInternal, "the service refused the result");
    return core::ok();
  });
}

sp_status SP_CALL users_list(void* ctx, sp_str query, const sp_sink* out, sp_error* error) noexcept {
  return call_for_text<HostUsers>(ctx, out, error, [&](auto& users) { return users.list(to_view(query)); });
}
sp_status SP_CALL users_get(void* ctx, int64_t id, const sp_sink* out, sp_error* error) noexcept {
  return call_for_text<HostUsers>(ctx, out, error, [&](auto& users) { return users.get(id); });
}
sp_status SP_CALL users_add(void* ctx, sp_str user, const sp_sink* out, sp_error* error) noexcept {
  return call_for_text<HostUsers>(ctx, out, error, [&](auto& users) { return users.add(to_view(user)); });
}
sp_status SP_CALL users_update(void* ctx, int64_t id, sp_str changes, sp_error* error) noexcept {
  return call<HostUsers>(ctx, error, [&](auto& users) { return users.update(id, to_view(changes)); });
}
sp_status SP_CALL users_remove(void* ctx, int64_t id, sp_error* error) noexcept {
  return call<HostUsers>(ctx, error, [&](auto& users) { return users.remove(id); });
}

sp_status SP_CALL jobs_scans(void* ctx, const sp_sink* out, sp_error* error) noexcept {
  return call_for_text<HostJobs>(ctx, out, error, [](auto& jobs) { return jobs.scans(); });
}
sp_status SP_CALL jobs_start_scan(void* ctx, sp_str username, sp_error* error) noexcept {
  return call<HostJobs>(ctx, error, [&](auto& jobs) { return jobs.start_scan(to_view(username)); });
}
sp_status SP_CALL jobs_dump(void* ctx, sp_str request, sp_error* error) noexcept {
  return call<HostJobs>(ctx, error, [&](auto& jobs) { return jobs.dump(to_view(request)); });
}
sp_status SP_CALL jobs_restore(void* ctx, sp_str request, const sp_sink* summary, sp_error* error) noexcept {
  return call<HostJobs>(ctx, error, [&](auto& jobs) -> Result<void> {
    auto restored = jobs.restore(to_view(request));
    if (!restored) return restored.error();
    if (deliver(summary, restored->summary_json) != SP_OK)
      return Error(Status::kInternal, "the service refused the summary");
    return restored->outcome;
  });
}

sp_status SP_CALL sessions_list(void* ctx, const sp_sink* out, sp_error* error) noexcept {
  return call_for_text<HostSessions>(ctx, out, error, [](auto& sessions) { return sessions.list(); });
}
sp_status SP_CALL sessions_close(void* ctx, sp_str connection_id, sp_error* error) noexcept {
  return call<HostSessions>(ctx, error, [&](auto& sessions) { return sessions.close(to_view(connection_id)); });
}
sp_status SP_CALL sessions_close_user(void* ctx, sp_str username, std::uint64_t* count, sp_error* error) noexcept {
  return call<HostSessions>(ctx, error, [&](auto& sessions) -> Result<void> {
    const auto closed = sessions.close_user(to_view(username));
    if (!closed) return closed.error();
    *count = *closed;
    return core::ok();
  });
}

sp_status SP_CALL bans_list(void* ctx, const sp_sink* out, sp_error* error) noexcept {
  return call_for_text<HostBans>(ctx, out, error, [](auto& bans) { return bans.list(); });
}
sp_status SP_CALL bans_lift(void* ctx, sp_str network, sp_str username, sp_error* error) noexcept {
  return call<HostBans>(ctx, error, [&](auto& bans) { return bans.lift(to_view(network), to_view(username)); });
}

sp_status SP_CALL info_version(void* ctx, const sp_sink* out, sp_error* error) noexcept {
  return call_for_text<HostInfo>(ctx, out, error, [](auto& info) { return info.version(); });
}
sp_status SP_CALL info_plugins(void* ctx, const sp_sink* out, sp_error* error) noexcept {
  return call_for_text<HostInfo>(ctx, out, error, [](auto& info) { return info.plugins(); });
}
sp_status SP_CALL info_provider_status(void* ctx, sp_error* error) noexcept {
  return call<HostInfo>(ctx, error, [](auto& info) { return info.provider_status(); });
}
sp_status SP_CALL info_metrics(void* ctx, const sp_sink* out, sp_error* error) noexcept {
  return call_for_text<HostInfo>(ctx, out, error, [](auto& info) { return info.metrics(); });
}
sp_status SP_CALL info_check_password(void* ctx, sp_str hash, sp_str password) noexcept {
  return call<HostInfo>(ctx, nullptr, [&](auto& info) -> Result<void> {
    if (!info.check_password(to_view(hash), to_view(password))) return Error(Status::kDenied);
    return core::ok();
  });
}
// Whoever is connected or not: storages count from their first request on.
void SP_CALL meter_request(void*, sp_str plugin, sp_str what, std::uint32_t good, std::uint64_t ns) noexcept {
  try {
    core::request_times::note(to_view(plugin), to_view(what), good != 0,
                              std::chrono::nanoseconds(static_cast<std::int64_t>(ns)));
  } catch (...) {
    return;  // a request that is not counted is better than a lost process
  }
}

void SP_CALL info_log_http(void* ctx, sp_str line) noexcept {
  call<HostInfo>(ctx, nullptr, [&](auto& info) -> Result<void> {
    info.log_http(to_view(line));
    return core::ok();
  });
}

}  // namespace

struct HostTables::Impl {
  // The tables' ctx points at these.
  Ports ports;
  sp_host_users users_table{&ports.users, users_list, users_get, users_add, users_update, users_remove};
  sp_host_jobs jobs_table{&ports.jobs, jobs_scans, jobs_start_scan, jobs_dump, jobs_restore};
  sp_host_sessions sessions_table{&ports.sessions, sessions_list, sessions_close, sessions_close_user};
  sp_host_bans bans_table{&ports.bans, bans_list, bans_lift};
  sp_host_info info_table{&ports.info,  info_version,        info_plugins, info_provider_status,
                          info_metrics, info_check_password, info_log_http};
  sp_host_meter meter_table{nullptr, meter_request};
};

HostTables::HostTables() : impl_(std::make_unique<Impl>()) {}
HostTables::~HostTables() = default;

std::map<std::string, const void*, std::less<>> HostTables::extensions() const {
  return {{SP_EXT_HOST_USERS, &impl_->users_table},       {SP_EXT_HOST_JOBS, &impl_->jobs_table},
          {SP_EXT_HOST_SESSIONS, &impl_->sessions_table}, {SP_EXT_HOST_BANS, &impl_->bans_table},
          {SP_EXT_HOST_INFO, &impl_->info_table},         {SP_EXT_HOST_METER, &impl_->meter_table}};
}

void HostTables::connect(const Ports& ports) { impl_->ports = ports; }

}  // namespace host::plugin
