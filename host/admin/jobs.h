// SPDX-License-Identifier: Apache-2.0
//
// Work that takes long: quota scans in the background, dumps and restores on the thread that asks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/core/worker_pool.h"
#include "host/events/events.h"
#include "host/plugin/host_tables.h"
#include "host/plugin/registry.h"
#include "host/users/store.h"
#include "host/vfs/quota.h"
#include "host/vfs/session_fs.h"

namespace host::admin {

class Jobs final : public plugin::HostJobs {
 public:
  struct Options {
    std::filesystem::path backups;  // where dumps go
    bool keep_usage = true;         // false: scans run and change nothing
    events::Events* events = nullptr;
  };
  Jobs(plugin::Registry& registry, users::Store& store, vfs::Quotas& quotas, Options options);
  ~Jobs() override;
  // Ends scans, dumps and restores early and waits for the scans; no more begin.
  void stop();

  // Scans that run or wait.
  std::size_t running() const;
  core::Result<std::string> scans() override;
  core::Result<void> start_scan(std::string_view username) override;
  core::Result<void> dump(std::string_view request_json) override;
  core::Result<Restored> restore(std::string_view request_json) override;

 private:
  struct Scan {
    std::int64_t start_time_ms = 0;
    std::shared_ptr<vfs::SessionFs> files;  // once it runs
  };
  bool begin(const std::string& username);
  void end(const std::vector<std::string>& usernames);
  bool going_on();
  void scan(const std::string& username);
  core::Result<users::Usage> count(const std::string& username);
  void scan_all(const std::vector<std::string>& usernames);
  void submit_scans(std::vector<std::string> usernames);

  plugin::Registry& registry_;
  users::Store& store_;
  vfs::Quotas& quotas_;
  const Options options_;
  std::mutex one_file_;  // held by a dump or restore: each takes memory
  mutable std::mutex mutex_;
  std::map<std::string, Scan, std::less<>> scans_;  // under mutex_
  std::uint64_t scans_so_far_ = 0;                  // under mutex_
  bool stopping_ = false;                           // under mutex_
  core::WorkerPool pool_;                           // joined first
};

}  // namespace host::admin
