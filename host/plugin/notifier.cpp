// SPDX-License-Identifier: Apache-2.0
//
// A notifier behind its C table. Runs on the workers of host/events. What events mean is not known here.
#include "host/plugin/notifier.h"

#include <sallyport/notifier.h>

#include "host/plugin/error.h"

namespace host::plugin {

Notifier::~Notifier() { notifier_->ops->destroy(notifier_); }

bool Notifier::wants(std::string_view kind) const { return notifier_->ops->wants(notifier_, to_c(kind)) != 0; }

bool Notifier::decides() const { return SP_HAS(sp_notifier_ops, notifier_->ops, decide); }

core::Result<void> Notifier::notify(const Op& op, std::string_view event_json) {
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  return to_result(notifier_->ops->notify(notifier_, &raw_op, to_c(event_json), error.out()), error);
}

core::Result<void> Notifier::decide(const Op& op, std::string_view event_json) {
  if (!decides()) return core::ok();
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  return to_result(notifier_->ops->decide(notifier_, &raw_op, to_c(event_json), error.out()), error);
}

}  // namespace host::plugin
