// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <sallyport/cpp/plugin.hpp>
#include <string>

#include "credentials.h"
#include "http_client.h"
#include "object-common/memory_budget.h"
#include "object-common/task_pool.h"
#include "settings.h"

namespace fs_s3 {

// What all mounts of a storage share. The pool comes last: its tasks use the rest.
struct Shared {
  Shared(const sp_host& host_in, const Settings& settings_in)
      : host(host_in),
        settings(settings_in),
        http(std::make_shared<HttpClient>(settings.http)),
        machine(std::make_shared<MachineCredentials>(settings.http)),
        memory(std::make_shared<object_common::MemoryBudget>(settings.memory_bytes)),
        pool("fs-s3", settings.threads, settings.threads * kQueuedPerThread) {}

  static constexpr std::size_t kQueuedPerThread = 8;
  const sp_host& host;
  const Settings settings;
  const std::shared_ptr<HttpClient> http;
  const std::shared_ptr<MachineCredentials> machine;
  const std::shared_ptr<object_common::MemoryBudget> memory;
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

  // Is this call to be given up? Holds as long as the call.
  object_common::Stop stop_of(const sp_op& op) const {
    return [this, &op] { return sallyport::cancelled(host, op); };
  }
};

}  // namespace fs_s3
