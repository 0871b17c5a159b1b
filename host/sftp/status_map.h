// SPDX-License-Identifier: Apache-2.0
//
// Status of the host -> status of the protocol (filexfer-02 section 7), one switch.
#pragma once

#include <cstdint>

#include "host/core/status.h"

namespace host::sftp {

enum class Code : std::uint32_t {
  kOk = 0,
  kEof = 1,
  kNoSuchFile = 2,
  kPermissionDenied = 3,
  kFailure = 4,
  kBadMessage = 5,
  kNoConnection = 6,
  kConnectionLost = 7,
  kOpUnsupported = 8,
};

Code code_of(core::Status status);

}  // namespace host::sftp
