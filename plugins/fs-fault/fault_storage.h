// SPDX-License-Identifier: Apache-2.0
//
// The configured backend: rules and the wrapped storage.
#pragma once

#include <memory>
#include <sallyport/cpp/storage.hpp>
#include <string>
#include <string_view>

#include "fault_fs.h"
#include "faults.h"
#include "wrapped.h"

namespace fs_fault {

class FaultStorage final : public sallyport::Storage<FaultStorage> {
 public:
  static constexpr const char* kType = "fs-fault";
  static constexpr const char* kSummary = "another storage with delays, errors and other faults, to test clients";
  static constexpr const char* kConfigSchema = R"json({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "wraps": {"type": "string", "default": "fs-local", "description": "storage plugin to pass everything on to"},
      "library": {"type": "string", "default": "", "description": "its file; empty: beside this plugin"},
      "settings": {"type": "object", "default": {}, "description": "its settings; nobody checks or completes them"},
      "faults": {"type": "array", "default": [],
                 "description": "rules such as read:3:error=EIO, see docs/testing-clients.md"}
    }
  })json";

  static sallyport::Outcome<std::unique_ptr<FaultStorage>> create(const sp_host& host, std::string_view config);
  FaultStorage(const sp_host& host, Faults faults, StoragePtr wrapped)
      : host_(host), faults_(std::move(faults)), wrapped_(std::move(wrapped)) {}

  sallyport::Outcome<std::unique_ptr<FaultFs>> mount(const sp_op& op, const sp_mount_args& args);

 private:
  const sp_host& host_;
  Faults faults_;
  const StoragePtr wrapped_;
};

}  // namespace fs_fault
