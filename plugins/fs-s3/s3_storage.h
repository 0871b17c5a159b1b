// SPDX-License-Identifier: Apache-2.0
//
// The configured backend.
#pragma once

#include <memory>
#include <sallyport/cpp/storage.hpp>
#include <string_view>

#include "s3_fs.h"
#include "shared.h"

namespace fs_s3 {

class S3Storage final : public sallyport::Storage<S3Storage> {
 public:
  static constexpr const char* kType = "fs-s3";
  static constexpr const char* kSummary = "buckets of S3 and of what speaks like it";
  static constexpr const char* kConfigSchema = Settings::kSchema;
  static constexpr const char* kUserSchema = AccountSettings::kSchema;

  static Outcome<std::unique_ptr<S3Storage>> create(const sp_host& host, std::string_view config);
  S3Storage(const sp_host& host, const Settings& settings) : shared_(host, settings) {}

  Outcome<std::unique_ptr<S3Fs>> mount(const sp_op& op, const sp_mount_args& args);

 private:
  Shared shared_;
};

}  // namespace fs_s3
