// SPDX-License-Identifier: Apache-2.0
//
// Addresses of servers by name. The system's look-up cannot be called off and may take minutes: waiting for it can. Any
// thread.
#pragma once

#include <sallyport/cpp/base.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hook-common/watchdog.h"

namespace hook_common {

class Resolver {
 public:
  using Cancelled = std::function<bool()>;
  using Addresses = std::vector<std::string>;  // in digits
  // Blocks for as long as it likes. Runs on a thread of its own, which may outlive everything but the process.
  using LookUp = std::function<sallyport::Outcome<Addresses>(const std::string& host)>;

  explicit Resolver(LookUp look_up = {});  // none: the system's

  // In the order in which to try them, IPv4 before IPv6. A failure when there is none, when its time is over, or when
  // nobody waits.
  sallyport::Outcome<Addresses> find(const std::string& host, Watchdog::Clock::time_point deadline,
                                     const Cancelled& cancelled);

 private:
  struct Search;
  std::shared_ptr<Search> join(const std::string& host);

  const LookUp look_up_;
  std::mutex mutex_;
  // Under mutex_. One look-up per name at a time, whoever waits.
  std::map<std::string, std::weak_ptr<Search>> searches_;
};

}  // namespace hook_common
