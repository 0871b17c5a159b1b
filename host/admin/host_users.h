// SPDX-License-Identifier: Apache-2.0
//
// Accounts as services see them: "host.users/1" over the store, with the texts that clients of the replaced system
// know. Any thread, several at once; calls block.
#pragma once

#include <mutex>

#include "host/events/events.h"
#include "host/plugin/host_tables.h"
#include "host/plugin/registry.h"
#include "host/users/store.h"
#include "host/vfs/quota.h"

namespace host::admin {

class HostUsers final : public plugin::HostUsers {
 public:
  // `events` may be null.
  HostUsers(plugin::Registry& registry, users::Store& store, vfs::Quotas& quotas, events::Events* events = nullptr)
      : registry_(registry), store_(store), quotas_(quotas), events_(events) {}

  core::Result<std::string> list(std::string_view query_json) override;
  core::Result<std::string> get(std::int64_t id) override;
  core::Result<std::string> add(std::string_view user_json) override;
  core::Result<void> update(std::int64_t id, std::string_view changes_json) override;
  core::Result<void> remove(std::int64_t id) override;

 private:
  core::Result<users::User> find(std::int64_t id);

  plugin::Registry& registry_;
  users::Store& store_;
  vfs::Quotas& quotas_;
  events::Events* const events_;
  std::mutex changes_;  // reading, merging and writing an account is one step
};

}  // namespace host::admin
