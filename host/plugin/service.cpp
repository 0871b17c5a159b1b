// SPDX-License-Identifier: Apache-2.0
//
// A service behind its C table. Start and stop run on the main thread, reload on a worker. What the service does with
// its own threads in between is its business; nothing of the file service waits for it.
#include "host/plugin/service.h"

#include <sallyport/service.h>

#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/plugin/error.h"

namespace host::plugin {

Service::~Service() {
  const auto stopped = stop(core::limits::kServiceStopTime);
  if (!stopped) core::log::error("plugin", "", "stopping " + name_ + ": " + stopped.error().message());
  service_->ops->destroy(service_);
}

core::Result<void> Service::start() {
  const std::lock_guard lock(mutex_);
  ErrorSlot error;
  const auto status = service_->ops->start(service_, error.out());
  if (status != SP_OK) return to_error(status, error, name_ + " cannot start");
  running_ = true;
  return core::ok();
}

core::Result<void> Service::reload(std::string_view config_json) {
  const std::lock_guard lock(mutex_);
  if (!running_ || !SP_HAS(sp_service_ops, service_->ops, reload)) return core::ok();
  ErrorSlot error;
  return to_result(service_->ops->reload(service_, to_c(config_json), error.out()), error);
}

core::Result<void> Service::stop(std::chrono::nanoseconds patience) {
  const std::lock_guard lock(mutex_);
  if (!running_) return core::ok();
  running_ = false;
  const auto deadline = std::chrono::steady_clock::now().time_since_epoch() + patience;
  const sp_op op = to_c(Op{.deadline_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline).count()});
  ErrorSlot error;
  return to_result(service_->ops->stop(service_, &op, error.out()), error);
}

}  // namespace host::plugin
