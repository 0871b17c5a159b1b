// SPDX-License-Identifier: Apache-2.0
//
// From an account to its mounts.
#include "host/vfs/fixture_test.h"
#include "host/vfs/session_fs.h"

namespace host::vfs {
namespace {

TEST(Mount, EveryCallOfALoginHasADeadline) {
  testing::FakeDisk disk;
  plugin::Registry registry({});
  ASSERT_TRUE(registry.adopt(testing::fake_plugin(disk)));
  auto identity = testing::identity_with({{"/", users::kAll}});
  identity.user.filesystem.backend = "fs-local";
  identity.user.home_dir = "/srv/alice";
  users::VirtualFolder folder;
  folder.virtual_path = "/way/to/folder";
  folder.mapped_path = "/srv/folder";
  identity.user.virtual_folders.push_back(folder);
  auto mounted = SessionFs::mount(registry, std::move(identity), {.make_home = true});
  ASSERT_TRUE(mounted) << mounted.error().message();
  EXPECT_TRUE(disk.has("/way/to")) << "what leads to the folder";
  EXPECT_EQ(disk.calls.back(), "stat /") << "of the folder";
  EXPECT_EQ(disk.endless, std::vector<std::string>());
}

}  // namespace
}  // namespace host::vfs
