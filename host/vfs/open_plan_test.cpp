// SPDX-License-Identifier: Apache-2.0
#include "host/vfs/open_plan.h"

#include <gtest/gtest.h>

#include <ostream>

namespace host::vfs {
namespace {

using core::Status;
using plugin::FsCaps;
using users::kDownload;
using users::kOverwrite;
using users::kUpload;

constexpr std::uint32_t kRd = plugin::OpenArgs::kRead, kWr = plugin::OpenArgs::kWrite, kCr = plugin::OpenArgs::kCreate,
                        kEx = plugin::OpenArgs::kExclusive, kTr = plugin::OpenArgs::kTruncate,
                        kAp = plugin::OpenArgs::kAppend;
constexpr std::uint64_t kAllCaps = 0x3fff, kNoResume = kAllCaps & ~FsCaps::kResume;

OpenRequest request(std::uint32_t flags) {
  return {.read = (flags & kRd) != 0,
          .write = (flags & kWr) != 0,
          .create = (flags & kCr) != 0,
          .exclusive = (flags & kEx) != 0,
          .truncate = (flags & kTr) != 0,
          .append = (flags & kAp) != 0};
}

struct OpenRow {
  const char* what;
  std::uint32_t asked, rights;
  std::uint64_t caps;
  Status status;        // of the plan
  std::uint32_t flags;  // to the storage
  Status if_exists = Status::kExists, if_missing = Status::kNotFound;
};

constexpr OpenRow kOpenRows[] = {
    {"nothing asked", 0, kDownload, kAllCaps, Status::kInvalid, 0},
    {"read", kRd, kDownload, kAllCaps, Status::kOk, kRd},
    {"read without download", kRd, users::kAll & ~kDownload, kAllCaps, Status::kDenied, 0},
    {"write without rights", kWr | kCr | kTr, users::kAll & ~(kUpload | kOverwrite), kAllCaps, Status::kDenied, 0},
    {"upload with both rights", kWr | kCr | kTr, kUpload | kOverwrite, kAllCaps, Status::kOk, kWr | kCr | kTr},
    {"upload only", kWr | kCr | kTr, kUpload, kAllCaps, Status::kOk, kWr | kCr | kEx, Status::kDenied},
    {"overwrite only", kWr | kCr | kTr, kOverwrite, kAllCaps, Status::kOk, kWr | kTr, Status::kExists, Status::kDenied},
    {"overwrite without create", kWr, kOverwrite, kAllCaps, Status::kOk, kWr},
    {"upload only, without create", kWr, kUpload, kAllCaps, Status::kOk, 0, Status::kDenied},
    {"exclusive", kWr | kCr | kEx, kUpload, kAllCaps, Status::kOk, kWr | kCr | kEx},
    {"exclusive without upload", kWr | kCr | kEx, kOverwrite, kAllCaps, Status::kDenied, 0},
    {"create alone writes", kCr, kUpload | kOverwrite, kAllCaps, Status::kOk, kWr | kCr},
    {"truncate alone writes", kTr, kDownload, kAllCaps, Status::kDenied, 0},
    {"append", kWr | kCr | kAp, kUpload | kOverwrite, kAllCaps, Status::kOk, kWr | kCr | kAp},
    {"resume refused by the mount", kWr | kCr, kUpload | kOverwrite, kNoResume, Status::kOk, kWr | kCr | kEx,
     Status::kUnsupported},
    {"resume refused, overwrite only", kWr | kCr, kOverwrite, kNoResume, Status::kUnsupported, 0},
    {"append to a new file without resume", kWr | kCr | kAp, kUpload | kOverwrite, kNoResume, Status::kOk,
     kWr | kCr | kEx, Status::kUnsupported},
    {"replaced where a file is published", kWr | kCr, kUpload | kOverwrite, kNoResume | FsCaps::kPublishOnClose,
     Status::kOk, kWr | kCr | kTr},
    {"not without overwrite", kWr | kCr, kUpload, kNoResume | FsCaps::kPublishOnClose, Status::kOk, kWr | kCr | kEx,
     Status::kDenied},
    {"appending to it is no replacing", kWr | kCr | kAp, kUpload | kOverwrite, kNoResume | FsCaps::kPublishOnClose,
     Status::kOk, kWr | kCr | kEx, Status::kUnsupported},
    {"truncating needs no resume", kWr | kCr | kTr, kUpload | kOverwrite, kNoResume, Status::kOk, kWr | kCr | kTr},
    {"read and write", kRd | kWr, kDownload | kOverwrite, kAllCaps, Status::kOk, kRd | kWr},
    {"read and write without download", kRd | kWr | kCr | kTr, kUpload | kOverwrite, kAllCaps, Status::kOk,
     kWr | kCr | kTr},
    {"read and write, mount cannot", kRd | kWr, users::kAll, kAllCaps & ~FsCaps::kReadWrite, Status::kUnsupported, 0},
    {"read and write from empty, mount cannot", kRd | kWr | kCr | kTr, users::kAll, kAllCaps & ~FsCaps::kReadWrite,
     Status::kOk, kWr | kCr | kTr},
};

TEST(OpenPlanTest, Table) {
  for (const OpenRow& row : kOpenRows) {
    SCOPED_TRACE(row.what);
    FsCaps caps;
    caps.flags = row.caps;
    const auto plan = plan_open(request(row.asked), row.rights, caps);
    if (row.status != Status::kOk) {
      ASSERT_FALSE(plan);
      EXPECT_EQ(plan.error().status, row.status);
      continue;
    }
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->flags, row.flags);
    EXPECT_EQ(plan->if_exists, row.if_exists);
    EXPECT_EQ(plan->if_missing, row.if_missing);
    EXPECT_EQ(plan->readable, (row.flags & kRd) != 0);
    EXPECT_EQ(plan->writable, row.asked != kRd);
    EXPECT_EQ(plan->append, (row.asked & kAp) != 0);
  }
}

TEST(OpenPlanTest, ReadsOfAWriteHandleAreRefusedWithTheReason) {
  FsCaps caps;
  caps.flags = kAllCaps;
  EXPECT_EQ(plan_open(request(kRd | kWr | kCr | kTr), kUpload | kOverwrite, caps)->read_refusal, Status::kDenied);
  caps.flags &= ~std::uint64_t{FsCaps::kReadWrite};
  EXPECT_EQ(plan_open(request(kRd | kWr | kCr | kTr), users::kAll, caps)->read_refusal, Status::kUnsupported);
}

}  // namespace
}  // namespace host::vfs
