// SPDX-License-Identifier: Apache-2.0
#include "host/vfs/mounts.h"

#include <gtest/gtest.h>

#include "host/vfs/fake_storage_test.h"

namespace host::vfs {
namespace {

using core::VirtualPath;

TEST(MountsTest, TheLongestPrefixOfWholeComponentsWins) {
  testing::FakeDisk home, shared, deep;
  home.real_root = "/home";
  shared.real_root = "/shared";
  deep.real_root = "/deep";
  std::vector<Mount> list;
  list.push_back({VirtualPath::clean("/pub"), mount_fake(shared)});
  list.push_back({VirtualPath(), mount_fake(home)});
  list.push_back({VirtualPath::clean("/pub/x"), mount_fake(deep)});
  const Mounts mounts(std::move(list));
  const auto real = [&](std::string_view text) { return mounts.resolve(VirtualPath::clean(text)).real_path(); };
  EXPECT_EQ(real("/"), "/home/");
  EXPECT_EQ(real("/pub"), "/shared/");
  EXPECT_EQ(real("/pub/a"), "/shared/a");
  EXPECT_EQ(real("/public"), "/home/public");
  EXPECT_EQ(real("/pub/x"), "/deep/");
  EXPECT_EQ(real("/pub/x/y"), "/deep/y");
  EXPECT_EQ(real("/pub/xy"), "/shared/xy");
}

TEST(MountsDeathTest, AMountAtTheRootIsRequired) { EXPECT_DEATH(Mounts({}), ""); }

}  // namespace
}  // namespace host::vfs
