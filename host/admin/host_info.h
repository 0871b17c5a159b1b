// SPDX-License-Identifier: Apache-2.0
//
// What runs here, for services: "host.info/1". Any thread, several at once.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "host/admin/jobs.h"
#include "host/admin/sessions.h"
#include "host/plugin/host_tables.h"
#include "host/plugin/registry.h"
#include "host/users/store.h"

namespace host::admin {

struct Version {
  std::string version, build_date, commit_hash;
};

class HostInfo final : public plugin::HostInfo {
 public:
  HostInfo(plugin::Registry& registry, users::Store& store, const Sessions& sessions, const Jobs& jobs, Version version)
      : registry_(registry), store_(store), sessions_(sessions), jobs_(jobs), version_(std::move(version)) {}

  core::Result<std::string> version() override;
  core::Result<std::string> plugins() override;
  core::Result<void> provider_status() override;
  core::Result<std::string> metrics() override;
  bool check_password(std::string_view hash, std::string_view password) override;
  void log_http(std::string_view line_json) override;

 private:
  bool provider_available();

  plugin::Registry& registry_;
  users::Store& store_;
  const Sessions& sessions_;
  const Jobs& jobs_;
  const Version version_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point checked_at_{};  // under mutex_
  bool available_ = true;                               // under mutex_
};

}  // namespace host::admin
