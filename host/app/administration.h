// SPDX-License-Identifier: Apache-2.0
//
// The administration service and what it may ask of the host. Made before logins are possible, so that it outlives
// them; without a port it does nothing.
#pragma once

#include <memory>
#include <string>

#include "host/admin/host_info.h"
#include "host/admin/host_sessions.h"
#include "host/admin/host_users.h"
#include "host/admin/jobs.h"
#include "host/app/bans.h"
#include "host/config/config.h"
#include "host/events/events.h"
#include "host/plugin/host_tables.h"
#include "host/plugin/registry.h"

namespace host::app {

class Administration {
 public:
  Administration(plugin::HostTables& tables, plugin::Registry& registry, users::Store& store, vfs::Quotas& quotas,
                 admin::Sessions& sessions, auth::Defender& defender, events::Events& events,
                 const config::Config& config);
  ~Administration();
  Administration(const Administration&) = delete;
  Administration& operator=(const Administration&) = delete;

  core::Result<void> start();
  void reload();  // any thread; may block
  // False: a thread of the service still uses this and all that it was made from.
  bool stop();

 private:
  plugin::HostTables& tables_;
  plugin::Registry& registry_;
  const config::Config& config_;
  std::string settings_;  // set by start, as is service_
  admin::HostUsers users_;
  admin::Jobs jobs_;
  admin::HostSessions sessions_;
  Bans bans_;
  admin::HostInfo info_;
  std::unique_ptr<plugin::Service> service_;  // set by start, before reload can be called
};

}  // namespace host::app
