// SPDX-License-Identifier: Apache-2.0
//
// Version 3 has four failures worth telling apart; the rest is FAILURE and its text (core::describe) says what. Any
// thread.
#include "host/sftp/status_map.h"

namespace host::sftp {

Code code_of(core::Status status) {
  using core::Status;
  switch (status) {
    case Status::kOk: return Code::kOk;
    case Status::kNotFound:
    case Status::kNotDir: return Code::kNoSuchFile;
    case Status::kDenied: return Code::kPermissionDenied;
    case Status::kUnsupported: return Code::kOpUnsupported;
    case Status::kExists:
    case Status::kNotEmpty:
    case Status::kIsDir:
    case Status::kInvalid:
    case Status::kQuota:
    case Status::kNoSpace:
    case Status::kBusy:
    case Status::kTimedOut:
    case Status::kCancelled:
    case Status::kConflict:
    case Status::kIo:
    case Status::kInternal:
    case Status::kWouldBlock:
    case Status::kFull:
    case Status::kLoop:
    case Status::kNameTooLong:
    case Status::kCrossDevice: return Code::kFailure;
  }
  return Code::kFailure;  // a number a plugin invented
}

}  // namespace host::sftp
