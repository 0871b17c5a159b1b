// SPDX-License-Identifier: Apache-2.0
//
// What an operator sets for the plugin, and what an account brings along.
#pragma once

#include <chrono>
#include <sallyport/cpp/base.hpp>
#include <string>
#include <string_view>

#include "http_client.h"
#include "keys.h"
#include "object-common/backoff.h"
#include "object-common/part_writer.h"
#include "object-common/range_reader.h"
#include "s3_client.h"

namespace fs_s3 {

struct Settings {
  HttpClient::Settings http;
  object_common::RetryPolicy retries;
  object_common::PartLimits upload;
  object_common::RangeLimits download;
  std::size_t memory_bytes = 0;
  std::size_t threads = 0;
  std::size_t rename_max_keys = 0;
  std::chrono::seconds rename_patience{30};  // with a store that does not get on, before what is begun is left so
  bool bucket_in_host = false;               // with an endpoint of one's own, too
  enum class Times { kStore, kStat, kList };
  Times times = Times::kStore;  // whether clients' own are kept, and where they are shown
  bool resume = false;
  // A quarter, but always enough for one upload.
  std::size_t user_memory_bytes() const;

  static constexpr const char* kSchema = R"json({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "part_size_mib": {"type": "integer", "minimum": 5, "maximum": 1024, "default": 8, "description": "of an upload's first parts; it doubles every 250 parts, up to 640 MiB or a quarter of max_memory_mib"},
      "upload_concurrency": {"type": "integer", "minimum": 1, "maximum": 32, "default": 3, "description": "parts of one upload on their way at once; its memory is one more times the part size"},
      "download_chunk_mib": {"type": "integer", "minimum": 1, "maximum": 64, "default": 4, "description": "the most that one request of a download fetches"},
      "download_concurrency": {"type": "integer", "minimum": 1, "maximum": 32, "default": 4, "description": "requests that a download is ahead of its reader"},
      "max_memory_mib": {"type": "integer", "minimum": 64, "maximum": 1048576, "default": 1024, "description": "of all transfers together; those of one user get a quarter, and up to as much again for parts that uploads cannot go on without"},
      "threads": {"type": "integer", "minimum": 1, "maximum": 256, "default": 24, "description": "for parts and chunks of all transfers; those with one store get half of them at most"},
      "connect_timeout": {"type": "integer", "minimum": 1, "maximum": 300, "default": 10, "description": "seconds"},
      "timeout": {"type": "integer", "minimum": 1, "maximum": 600, "default": 30, "description": "seconds without a byte from the store"},
      "attempts": {"type": "integer", "minimum": 1, "maximum": 20, "default": 5, "description": "of a request that may be sent again"},
      "rename_max_keys": {"type": "integer", "minimum": 0, "maximum": 1000000, "default": 1000, "description": "keys that the renaming of a directory may copy"},
      "mtime_in_metadata": {"type": "string", "enum": ["off", "stat", "list"], "default": "off", "description": "keep the times that clients set, in x-amz-meta-mtime, which costs a copy of the object; shown for single files, or, with one request more per file, in listings too"},
      "resume_uploads": {"type": "boolean", "default": false, "description": "an object can be continued: the store copies what there is into the new one. With upload_mode 2 what a broken upload brought stays"},
      "virtual_host": {"type": "boolean", "default": false, "description": "with an endpoint: the bucket goes into its name, not into the path"},
      "ca_file": {"type": "string", "default": "", "description": "certificates to trust instead of the system's (PEM)"}
    }
  })json";
  static sallyport::Outcome<Settings> parse(std::string_view json);
};

// What clients see as an object's time.
inline std::int64_t shown_mtime(const Settings& settings, const ObjectInfo& info) {
  const bool kept = settings.times != Settings::Times::kStore;
  return kept ? kept_mtime(info.nature).value_or(info.mtime_ns) : info.mtime_ns;
}

struct AccountSettings {
  Bucket bucket;
  Keys keys;
  std::optional<Credentials> credentials;

  static constexpr const char* kSchema = R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["bucket", "region"],
    "dependentRequired": {"access_key": ["access_secret"], "access_secret": ["access_key"]},
    "properties": {
      "bucket": {"type": "string", "pattern": "^[^/]+$", "description": "it must exist"},
      "key_prefix": {"type": "string", "pattern": "^([^/]|$)", "description": "the account sees and reaches only keys that begin so"},
      "region": {"type": "string", "pattern": "^[^/]+$"},
      "access_key": {"type": "string", "description": "without it: the machine's own credentials"},
      "access_secret": {"type": "string", "writeOnly": true},
      "endpoint": {"type": "string", "pattern": "^(([Hh][Tt][Tt][Pp][Ss]?://)?(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+)(:(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6([0-4][0-9]{3}|5([0-4][0-9]{2}|5([0-2][0-9]|3[0-5])))))?/?)?$", "description": "of a store other than AWS, as https://host:port"},
      "storage_class": {"type": "string", "description": "of what is uploaded"}
    }
  })json";
  static sallyport::Outcome<AccountSettings> parse(std::string_view json, bool bucket_in_host);
};

}  // namespace fs_s3
