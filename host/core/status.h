// SPDX-License-Identifier: Apache-2.0
//
// What an operation came to, by meaning. Numbers equal SP_OK and SP_E_* of the SDK (checked in host/plugin), so that a
// status crosses the plugin border without a table.
#pragma once

#include <cstdint>
#include <string_view>

namespace host::core {

enum class Status : std::int32_t {
  kOk = 0,
  kNotFound = 1,
  kDenied = 2,
  kExists = 3,
  kNotEmpty = 4,
  kNotDir = 5,
  kIsDir = 6,
  kUnsupported = 7,
  kInvalid = 8,
  kQuota = 9,
  kNoSpace = 10,
  kBusy = 11,
  kTimedOut = 12,
  kCancelled = 13,
  kConflict = 14,
  kIo = 15,
  kInternal = 16,
  kWouldBlock = 17,
  kFull = 18,
  kLoop = 19,
  kNameTooLong = 20,
  kCrossDevice = 21,
};

// A short English phrase fit for clients and logs: no path, no secret.
std::string_view describe(Status status);

}  // namespace host::core
