// SPDX-License-Identifier: Apache-2.0
//
// Where finished log lines go: standard output or a file that is rotated by size. Used by one thread at a time (the
// log thread, but for reopen), so nothing here locks; compression of a rotated file runs on its own worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "host/core/result.h"

namespace host::core::log {

class Output {
 public:
  virtual ~Output() = default;
  virtual Result<void> write_line(std::string_view line) = 0;  // adds the newline
  virtual Result<void> reopen() = 0;                           // after an error all goes on as before
};

std::unique_ptr<Output> standard_output();

struct RotationOptions {
  std::filesystem::path path;
  std::uint64_t max_bytes = 10 * 1024 * 1024;
  std::uint32_t max_backups = 5;    // 0: no limit by number
  std::uint32_t max_age_days = 28;  // 0: no limit by age
  bool compress = false;
};

// Appends to options.path, making its directory when missing. A line that would make the file larger than max_bytes
// starts a new file; the full one is renamed to <name>-<UTC 2006-01-02T15-04-05.000><ext>, then old ones are removed.
Result<std::unique_ptr<Output>> rotating_file(const RotationOptions& options);

// Backup name of `path` for a point in time.
std::filesystem::path backup_path(const std::filesystem::path& path, std::chrono::system_clock::time_point when);
// Compresses (when asked) and removes backups of options.path beyond its limits, as seen at `now`.
void tidy_backups(const RotationOptions& options, std::chrono::system_clock::time_point now);

}  // namespace host::core::log
