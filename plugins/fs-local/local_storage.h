// SPDX-License-Identifier: Apache-2.0
//
// The configured backend: what all mounts share.
#pragma once

#include <memory>
#include <sallyport/cpp/storage.hpp>
#include <string_view>

#include "local_fs.h"
#include "owner_names.h"

namespace fs_local {

struct Settings {
  bool create_home = true;
  bool use_openat2 = true;
};

class LocalStorage final : public sallyport::Storage<LocalStorage> {
 public:
  static constexpr const char* kType = "fs-local";
  static constexpr const char* kSummary = "directories of this machine";
  static constexpr const char* kConfigSchema = R"({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "create_home": {"type": "boolean", "default": true, "description": "create a missing home directory at login"},
      "use_openat2": {"type": "boolean", "default": true, "description": "let the kernel confine paths; false resolves them step by step"}
    }
  })";

  static sallyport::Outcome<std::unique_ptr<LocalStorage>> create(const sp_host& host, std::string_view config);
  LocalStorage(const sp_host& host, Settings settings) : host_(host), settings_(settings) {}

  sallyport::Outcome<std::unique_ptr<LocalFs>> mount(const sp_op& op, const sp_mount_args& args);

 private:
  const sp_host& host_;
  const Settings settings_;
  OwnerNames names_;
};

}  // namespace fs_local
