// SPDX-License-Identifier: Apache-2.0
//
// The C tables through which services reach the host, over interfaces that host/admin fulfils. Texts are JSON, as
// sdk/include/sallyport/ext/host_ext.h describes it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "host/core/result.h"

namespace host::plugin {

// Implementations are called from any thread, several at once, and may block. What they throw becomes kInternal.
class HostUsers {
 public:
  virtual ~HostUsers() = default;
  virtual core::Result<std::string> list(std::string_view query_json) = 0;
  virtual core::Result<std::string> get(std::int64_t id) = 0;
  virtual core::Result<std::string> add(std::string_view user_json) = 0;
  virtual core::Result<void> update(std::int64_t id, std::string_view changes_json) = 0;
  virtual core::Result<void> remove(std::int64_t id) = 0;
};

class HostJobs {
 public:
  // A summary there is whenever the file could be read, a refusal when anything in it was refused.
  struct Restored {
    std::string summary_json;
    core::Result<void> outcome = core::ok();
  };
  virtual ~HostJobs() = default;
  virtual core::Result<std::string> scans() = 0;
  virtual core::Result<void> start_scan(std::string_view username) = 0;
  virtual core::Result<void> dump(std::string_view request_json) = 0;
  virtual core::Result<Restored> restore(std::string_view request_json) = 0;
};

class HostSessions {
 public:
  virtual ~HostSessions() = default;
  virtual core::Result<std::string> list() = 0;
  virtual core::Result<void> close(std::string_view connection_id) = 0;
  virtual core::Result<std::size_t> close_user(std::string_view username) = 0;
};

class HostBans {
 public:
  virtual ~HostBans() = default;
  virtual core::Result<std::string> list() = 0;
  virtual core::Result<void> lift(std::string_view network, std::string_view username) = 0;
};

class HostInfo {
 public:
  virtual ~HostInfo() = default;
  virtual core::Result<std::string> version() = 0;
  virtual core::Result<std::string> plugins() = 0;
  virtual core::Result<void> provider_status() = 0;
  virtual core::Result<std::string> metrics() = 0;
  virtual bool check_password(std::string_view hash, std::string_view password) = 0;
  virtual void log_http(std::string_view line_json) = 0;
};

class HostTables {
 public:
  HostTables();
  ~HostTables();
  HostTables(const HostTables&) = delete;
  HostTables& operator=(const HostTables&) = delete;

  // For RegistryOptions::host_extensions. Until connect has been called the tables answer SP_E_BUSY.
  std::map<std::string, const void*, std::less<>> extensions() const;
  struct Ports {
    HostUsers* users = nullptr;
    HostJobs* jobs = nullptr;
    HostSessions* sessions = nullptr;
    HostBans* bans = nullptr;
    HostInfo* info = nullptr;
  };
  // What is behind the tables from now on; null: nothing. Before services start and after they stopped.
  void connect(const Ports& ports);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace host::plugin
