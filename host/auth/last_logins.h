// SPDX-License-Identifier: Apache-2.0
//
// When users last logged in, on its way to the data provider: written by a thread of its own, so that a provider that
// cannot write holds up no login.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "host/core/result.h"
#include "host/core/worker_pool.h"

namespace host::auth {

class LastLogins {
 public:
  using Write = std::function<core::Result<void>(const std::string& username, std::int64_t at_ms)>;

  explicit LastLogins(Write write);

  // Only the last of a user is written. Any thread.
  void note(const std::string& username, std::int64_t at_ms);
  // Writes what waits, as long as the provider takes it, then joins.
  void stop();

 private:
  void write_all();
  bool take(std::string& username, std::int64_t& at_ms);

  const Write write_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> waiting_;
  bool writing_ = false, stopping_ = false;
  bool full_ = false;  // said so in the log
  core::WorkerPool pool_;
};

}  // namespace host::auth
