// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sallyport/ext/host_ext.h>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <sallyport/cpp/plugin.hpp>
#include <string>
#include <string_view>

#include "credentials.h"
#include "http_client.h"
#include "leftovers.h"
#include "object-common/memory_budget.h"
#include "object-common/task_pool.h"
#include "parents_seen.h"
#include "settings.h"
#include "uploads_alive.h"

namespace fs_s3 {

// What all mounts of a storage share. The pool comes last: its tasks use the rest.
struct Shared {
  Shared(const sp_host& host_in, const Settings& settings_in)
      : host(host_in),
        settings(settings_in),
        http(std::make_shared<HttpClient>(settings.http)),
        machine(std::make_shared<MachineCredentials>(settings.http)),
        memory(std::make_shared<object_common::MemoryBudget>(settings.memory_bytes)),
        leftovers(host_in),
        pool("fs-s3", settings.threads, settings.threads * kQueuedPerThread) {}

  static constexpr std::size_t kQueuedPerThread = 8;
  const sp_host& host;
  const Settings settings;
  const std::shared_ptr<HttpClient> http;
  const std::shared_ptr<MachineCredentials> machine;
  const std::shared_ptr<object_common::MemoryBudget> memory;
  const std::shared_ptr<UploadsAlive> uploads = std::make_shared<UploadsAlive>();
  ParentsSeen parents_seen;
  Leftovers leftovers;
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<object_common::MemoryBudget>> users;  // under mutex
  object_common::TaskPool pool;

  // What all mounts of one user may hold: a part of the whole, so that nobody else waits for one's many uploads.
  std::shared_ptr<object_common::MemoryBudget> memory_of(const std::string& user) {
    const std::lock_guard lock(mutex);
    std::erase_if(users, [](const auto& entry) { return entry.second.expired(); });
    auto& known = users[user];
    auto budget = known.lock();
    if (!budget) known = budget = std::make_shared<object_common::MemoryBudget>(settings.user_memory_bytes(), memory);
    return budget;
  }

  // For the host's monitoring, where it has any.
  std::function<void(std::string_view, bool, std::chrono::nanoseconds)> meter() const {
    const auto* table = static_cast<const sp_host_meter*>(host.extension(&host, SP_EXT_HOST_METER));
    if (table == nullptr) return {};
    return [table](std::string_view what, bool good, std::chrono::nanoseconds time) {
      table->request(table->ctx, sallyport::str("fs-s3"), sallyport::str(what), good ? 1 : 0,
                     static_cast<std::uint64_t>(time.count()));
    };
  }

  // Is this call to be given up? Holds as long as the call.
  object_common::Stop stop_of(const sp_op& op) const {
    return [this, &op] { return sallyport::cancelled(host, op); };
  }
};

}  // namespace fs_s3
