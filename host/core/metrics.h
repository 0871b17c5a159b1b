// SPDX-License-Identifier: Apache-2.0
//
// Counters of the whole process, for monitoring. Any thread; counting costs one relaxed atomic addition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace host::core::metrics {

// In the order of their table in metrics.cpp.
enum class Counter : std::size_t {
  kUploads,
  kUploadErrors,
  kUploadBytes,
  kDownloads,
  kDownloadErrors,
  kDownloadBytes,
  kLoginAttempts,
  kLogins,
  kLoginFailures,
  kPasswordAttempts,
  kPasswordLogins,
  kPasswordFailures,
  kPublicKeyAttempts,
  kPublicKeyLogins,
  kPublicKeyFailures,
  kKeyboardAttempts,
  kKeyboardLogins,
  kKeyboardFailures,
  kCommands,
  kCommandErrors,
  kScans,
  kScanErrors,
  kEventsDropped,
  kCount
};

struct Description {
  std::string_view name;  // as monitoring systems of the replaced system know it
  std::string_view help;
};

void add(Counter counter, std::uint64_t amount = 1);
std::uint64_t value(Counter counter);
const Description& describe(Counter counter);

}  // namespace host::core::metrics
