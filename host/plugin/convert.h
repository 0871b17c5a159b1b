// SPDX-License-Identifier: Apache-2.0
//
// Storage structs of the C ABI <-> those of the host. Private to this folder.
#pragma once

#include <sallyport/ext/storage_ext.h>
#include <sallyport/storage.h>

#include <string>

#include "host/core/result.h"
#include "host/plugin/storage_types.h"

namespace host::plugin {

sp_attrs to_c(const core::Attrs& attrs);
// Members a plugin did not mark valid, bits and types nobody knows are dropped.
core::Attrs to_attrs(const sp_attrs& attrs);

// kUnsupported when attrs hold something that a mount with these SP_FS_* flags cannot set.
core::Result<void> check_settable(std::uint64_t caps_flags, const core::Attrs& attrs);

StatVfs to_statvfs(const sp_statvfs& raw);

// Collects what a plugin delivers through a sink, up to `limit` bytes; the plugin's call then fails with kFull.
class TextSink {
 public:
  explicit TextSink(std::size_t limit) : limit_(limit) {}
  sp_sink sink() { return {this, &TextSink::write}; }
  std::string take() { return std::move(text_); }

 private:
  static sp_status SP_CALL write(void* self, sp_bytes part) noexcept;
  std::string text_;
  const std::size_t limit_;
};

}  // namespace host::plugin
