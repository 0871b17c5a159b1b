// SPDX-License-Identifier: Apache-2.0
#include "host/vfs/usage_scan.h"

#include "host/vfs/fixture_test.h"

namespace host::vfs {
namespace {

using testing::path;
using testing::status_of;

// Both ways of scanning must find the same.
class UsageScanTest : public testing::SessionTest, public ::testing::WithParamInterface<bool> {
 protected:
  UsageScanTest() {
    disk_.tree = GetParam();
    for (const char* directory : {"/d", "/d/e", "/v"}) disk_.dir(directory);
    for (const char* file : {"/a", "/d/b", "/d/e/c", "/d/.sftpgo-upload.x.b", "/v/hidden", "/very"}) disk_.file(file);
    folder_.dir("/in");
    folder_.file("/in/x", "1234567");
    session_.reset();
    std::vector<Mount> mounts;
    mounts.push_back({path("/v"), testing::mount_fake(folder_)});
    mounts.push_back({path("/"), testing::mount_fake(disk_)});
    session_ = make_session_fs(std::move(mounts), testing::identity_with({{"/", users::kAll}}), {});
    disk_.calls.clear();
  }
  ~UsageScanTest() override { session_.reset(); }
  testing::FakeDisk folder_;
};

TEST_P(UsageScanTest, FindsEveryFileOnceAndNothingThatIsHidden) {
  const auto found = session_->scan_usage();
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(*found, (users::Usage{4 * 4 + 7, 5}));
  const auto asked = std::ranges::count_if(disk_.calls, [](const auto& call) { return call.starts_with("open_"); });
  EXPECT_EQ(asked, GetParam() ? 1 : 3) << "one listing of all, or one for each directory";
}

TEST_P(UsageScanTest, AStorageThatFailsCountsNothing) {
  disk_.fail["next"] = SP_E_IO;
  EXPECT_EQ(status_of(session_->scan_usage()), core::Status::kIo);
}

INSTANTIATE_TEST_SUITE_P(WalkedAndAsOneTree, UsageScanTest, ::testing::Bool());

}  // namespace
}  // namespace host::vfs
