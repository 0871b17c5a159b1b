// SPDX-License-Identifier: Apache-2.0
#include "host/sftp/status_map.h"

#include <gtest/gtest.h>

namespace host::sftp {
namespace {

using core::Status;

TEST(StatusMap, EachStatusHasItsCode) {
  const struct {
    Status status;
    Code code;
  } special[] = {{Status::kOk, Code::kOk},
                 {Status::kNotFound, Code::kNoSuchFile},
                 {Status::kNotDir, Code::kNoSuchFile},
                 {Status::kDenied, Code::kPermissionDenied},
                 {Status::kUnsupported, Code::kOpUnsupported}};
  for (const auto& row : special) EXPECT_EQ(code_of(row.status), row.code) << core::describe(row.status);
  for (const auto status : {Status::kExists, Status::kInvalid, Status::kQuota, Status::kBusy, Status::kIo,
                            Status::kWouldBlock, Status::kCrossDevice, static_cast<Status>(4711)}) {
    EXPECT_EQ(code_of(status), Code::kFailure) << core::describe(status);
  }
}

}  // namespace
}  // namespace host::sftp
