// SPDX-License-Identifier: Apache-2.0
//
// Translation of statuses, errors and call contexts between the C ABI and the host. Any thread; no state. Nothing here
// allocates when the call succeeded. Must not know any plugin kind.
#include "host/plugin/error.h"

#include <cstring>
#include <string>

namespace host::plugin {

using core::Status;

// A status crosses without a table, so the numbers must agree.
#define SAME(host_value, c_value) static_assert(static_cast<std::int32_t>(Status::host_value) == (c_value))
SAME(kOk, SP_OK);
SAME(kNotFound, SP_E_NOT_FOUND);
SAME(kDenied, SP_E_DENIED);
SAME(kExists, SP_E_EXISTS);
SAME(kNotEmpty, SP_E_NOT_EMPTY);
SAME(kNotDir, SP_E_NOT_DIR);
SAME(kIsDir, SP_E_IS_DIR);
SAME(kUnsupported, SP_E_UNSUPPORTED);
SAME(kInvalid, SP_E_INVALID);
SAME(kQuota, SP_E_QUOTA);
SAME(kNoSpace, SP_E_NO_SPACE);
SAME(kBusy, SP_E_BUSY);
SAME(kTimedOut, SP_E_TIMED_OUT);
SAME(kCancelled, SP_E_CANCELLED);
SAME(kConflict, SP_E_CONFLICT);
SAME(kIo, SP_E_IO);
SAME(kInternal, SP_E_INTERNAL);
SAME(kWouldBlock, SP_E_WOULD_BLOCK);
SAME(kFull, SP_E_FULL);
SAME(kLoop, SP_E_LOOP);
SAME(kNameTooLong, SP_E_NAME_TOO_LONG);
SAME(kCrossDevice, SP_E_CROSS_DEVICE);
#undef SAME

core::Status to_status(sp_status status) {
  if (status < SP_OK || status > SP_E_CROSS_DEVICE) return Status::kInternal;
  return static_cast<Status>(status);
}

core::Error to_error(sp_status status, const ErrorSlot& slot, std::string_view who) {
  std::string text(slot.raw.message, strnlen(slot.raw.message, sizeof slot.raw.message));
  if (!who.empty()) {
    const auto reason = text.empty() ? std::string(core::describe(to_status(status))) : text;
    text = std::string(who) + ": " + reason;
  }
  return {to_status(status), std::move(text), slot.raw.native_code};
}

core::Result<void> to_result(sp_status status, const ErrorSlot& slot) {
  if (status == SP_OK) return core::ok();
  return to_error(status, slot);
}

core::Error unsupported(std::string_view what) {
  return {Status::kUnsupported, std::string(what) + " is not offered by this plugin"};
}

sp_op to_c(const Op& op) {
  return {sizeof(sp_op), op.nowait ? SP_OP_NOWAIT : 0u, op.session_id, op.request_id, op.deadline_ns};
}

}  // namespace host::plugin
