// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <sallyport/cpp/plugin.hpp>

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
        machine(std::make_shared<MachineCredentials>(http)),
        memory(settings.memory_bytes),
        pool("fs-s3", settings.threads, settings.threads * kQueuedPerThread) {}

  static constexpr std::size_t kQueuedPerThread = 8;
  const sp_host& host;
  const Settings settings;
  const std::shared_ptr<HttpClient> http;
  const std::shared_ptr<MachineCredentials> machine;
  object_common::MemoryBudget memory;
  object_common::TaskPool pool;

  // Is this call to be given up? Holds as long as the call.
  object_common::Stop stop_of(const sp_op& op) const {
    return [this, &op] { return sallyport::cancelled(host, op); };
  }
};

}  // namespace fs_s3
