// SPDX-License-Identifier: Apache-2.0
//
// A service plugin as the host sees it: something that runs beside the file service. One call at a time, whoever calls;
// each may block.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "host/core/result.h"

struct sp_service;

namespace host::plugin {

class Service {
 public:
  Service(std::string name, sp_service* service) : name_(std::move(name)), service_(service) {}
  ~Service();  // stops it when that was not done
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  const std::string& name() const { return name_; }
  core::Result<void> start();
  // New settings, or the same ones after SIGHUP. Nothing happens when it does not run.
  core::Result<void> reload(std::string_view config_json);
  core::Result<void> stop(std::chrono::nanoseconds patience);

 private:
  const std::string name_;
  sp_service* const service_;
  std::mutex mutex_;
  bool running_ = false;  // under mutex_
};

}  // namespace host::plugin
