// SPDX-License-Identifier: Apache-2.0
//
// sp_error and sp_op in the host's words. Private to this folder: the adapters include it, nobody else does.
#pragma once

#include <sallyport/base.h>

#include <string_view>

#include "host/core/result.h"
#include "host/plugin/storage_types.h"

namespace host::plugin {

// The error struct lent to a plugin for one call.
struct ErrorSlot {
  sp_error raw{};
  ErrorSlot() { raw.struct_size = sizeof raw; }
  sp_error* out() { return &raw; }
};

// A status nobody knows counts as kInternal; SP_OK gives kOk.
core::Status to_status(sp_status status);
// What a failed call left behind. `who` (may be empty) goes before the plugin's text.
core::Error to_error(sp_status status, const ErrorSlot& slot, std::string_view who = {});
// The two together, for calls without a result.
core::Result<void> to_result(sp_status status, const ErrorSlot& slot);

core::Error unsupported(std::string_view what);

sp_op to_c(const Op& op);
inline sp_str to_c(std::string_view text) { return {text.data(), text.size()}; }
// A NULL pointer with a length counts as empty.
inline std::string_view to_view(sp_str text) {
  return text.ptr != nullptr ? std::string_view(text.ptr, text.len) : std::string_view();
}
inline std::string_view to_view(const char* text) {
  return text != nullptr ? std::string_view(text) : std::string_view();
}

}  // namespace host::plugin
