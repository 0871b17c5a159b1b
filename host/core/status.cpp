// SPDX-License-Identifier: Apache-2.0
//
// The phrases that stand for a status, for clients and logs alike.
#include "host/core/status.h"

namespace host::core {

std::string_view describe(Status status) {
  switch (status) {
    case Status::kOk: return "success";
    case Status::kNotFound: return "no such file";
    case Status::kDenied: return "permission denied";
    case Status::kExists: return "already exists";
    case Status::kNotEmpty: return "directory not empty";
    case Status::kNotDir: return "not a directory";
    case Status::kIsDir: return "is a directory";
    case Status::kUnsupported: return "operation unsupported";
    case Status::kInvalid: return "invalid argument";
    case Status::kQuota: return "quota exceeded";
    case Status::kNoSpace: return "no space left";
    case Status::kBusy: return "busy, try again";
    case Status::kTimedOut: return "timed out";
    case Status::kCancelled: return "cancelled";
    case Status::kConflict: return "changed meanwhile";
    case Status::kIo: return "input/output error";
    case Status::kInternal: return "internal error";
    case Status::kWouldBlock: return "would block";
    case Status::kFull: return "full";
    case Status::kLoop: return "too many symbolic links";
    case Status::kNameTooLong: return "name too long";
    case Status::kCrossDevice: return "not across folders";
  }
  return "internal error";
}

}  // namespace host::core
