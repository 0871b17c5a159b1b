// SPDX-License-Identifier: Apache-2.0
#include "host/vfs/gate.h"

#include <gtest/gtest.h>

#include "host/vfs/fixture_test.h"

namespace host::vfs {
namespace {

using core::Status;
using core::VirtualPath;
using testing::path;
using users::Permission;

users::User user_with(const std::map<std::string, std::uint32_t>& permissions) {
  users::User user;
  for (const auto& [where, rights] : permissions) user.permissions[path(where)] = rights;
  return user;
}

bool allowed(const core::Result<void>& answer) {
  if (answer) return true;
  EXPECT_EQ(answer.error().status, Status::kDenied);
  return false;
}

struct Row {
  Action action;
  std::uint32_t right;
  const char* where_file;  // whose entry decides for the file /d/x
  const char* where_dir;   // ... and for the directory /d/x
};

constexpr Row kRows[] = {
    {Action::kStat, users::kList, "/d", "/d"},
    {Action::kListDir, users::kList, "/d/x", "/d/x"},
    {Action::kMakeDir, users::kCreateDirs, "/d", "/d"},
    {Action::kRemove, users::kDelete, "/d", "/d"},
    {Action::kSymlink, users::kCreateSymlinks, "/d", "/d"},
    {Action::kTruncate, users::kOverwrite, "/d", "/d"},
    {Action::kChmod, users::kChmod, "/d/x", "/d"},
    {Action::kChown, users::kChown, "/d/x", "/d"},
    {Action::kChtimes, users::kChtimes, "/d/x", "/d"},
};

TEST(GateTest, EveryActionNeedsItsOwnRightAndNoOther) {
  for (const Row& row : kRows) {
    for (std::uint32_t right = 1; right <= users::kAll; right <<= 1) {
      const users::User user = user_with({{"/", right}});
      EXPECT_EQ(allowed(Gate(user).check(row.action, path("/d/x"))), right == row.right)
          << static_cast<int>(row.action) << " with " << right;
    }
    const users::User rest = user_with({{"/", users::kAll & ~row.right}});
    EXPECT_FALSE(allowed(Gate(rest).check(row.action, path("/d/x")))) << static_cast<int>(row.action);
  }
}

TEST(GateTest, EveryActionIsLookedUpInItsPlace) {
  for (const Row& row : kRows) {
    for (const bool is_dir : {false, true}) {
      const std::string where = is_dir ? row.where_dir : row.where_file;
      for (const char* entry : {"/", "/d", "/d/x"}) {
        std::map<std::string, std::uint32_t> permissions = {{"/", 0}, {"/d", 0}, {"/d/x", 0}};
        permissions[entry] = users::kAll;
        const users::User user = user_with(permissions);
        EXPECT_EQ(allowed(Gate(user).check(row.action, path("/d/x"), is_dir)), where == entry)
            << static_cast<int>(row.action) << " by " << entry << (is_dir ? " dir" : " file");
      }
    }
  }
}

TEST(GateTest, TheRootIsItsOwnParent) {
  const users::User user = user_with({{"/", users::kList}});
  EXPECT_TRUE(allowed(Gate(user).check(Action::kStat, path("/"))));
}

TEST(GateTest, TypeMattersOnlyWhereAnEntryIs) {
  const users::User user = user_with({{"/", users::kAll}, {"/d/x", users::kList}});
  EXPECT_TRUE(Gate(user).type_matters(path("/d/x")));
  EXPECT_FALSE(Gate(user).type_matters(path("/d/y")));
  EXPECT_FALSE(Gate(user).type_matters(path("/d/x/below")));
}

TEST(GateTest, RenameNeedsTheRightOnBothSides) {
  const users::User user =
      user_with({{"/", 0}, {"/a", users::kRename}, {"/b", users::kRename}, {"/c", users::kUpload}});
  const Gate gate(user);
  EXPECT_TRUE(allowed(gate.check_rename(path("/a/x"), path("/b/x"))));
  EXPECT_FALSE(allowed(gate.check_rename(path("/a/x"), path("/c/x"))));
  EXPECT_FALSE(allowed(gate.check_rename(path("/c/x"), path("/a/x"))));
  EXPECT_FALSE(gate.may_replace(path("/b/x")));
}

TEST(GateTest, TheLaxRuleAsksTheTargetsSideOnly) {
  const users::User user = user_with({{"/", users::kList}, {"/box", users::kUpload}, {"/to", users::kRename}});
  const Gate gate(user, true);
  EXPECT_TRUE(allowed(gate.check_rename(path("/box/x"), path("/to/x"))));
  EXPECT_TRUE(allowed(gate.check_rename(path("/box"), path("/to/box"))));
  EXPECT_TRUE(gate.may_replace(path("/to/x")));
  EXPECT_FALSE(allowed(gate.check_rename(path("/to/x"), path("/box/x"))));
  EXPECT_FALSE(allowed(gate.check_rename(path("/"), path("/to/x"))));
}

TEST(GateTest, TheRootIsNeverRenamed) {
  const users::User user = user_with({{"/", users::kAll}});
  EXPECT_FALSE(allowed(Gate(user).check_rename(path("/"), path("/x"))));
  EXPECT_FALSE(allowed(Gate(user).check_rename(path("/x"), path("/"))));
}

TEST(GateTest, RenameSheddingARestrictionIsRefused) {
  const users::User user = user_with({{"/", users::kAll}, {"/in/box", users::kUpload}, {"/same", users::kAll}});
  const Gate gate(user);
  EXPECT_FALSE(allowed(gate.check_rename(path("/in/box"), path("/free"))));
  EXPECT_FALSE(allowed(gate.check_rename(path("/in"), path("/out"))));
  EXPECT_TRUE(allowed(gate.check_rename(path("/same"), path("/other"))));
  EXPECT_TRUE(allowed(gate.check_rename(path("/in/boxes"), path("/boxes"))));
}

TEST(GateTest, ReplacingNeedsOverwriteBesideTheTarget) {
  const users::User user = user_with({{"/", users::kRename}, {"/b", users::kRename | users::kOverwrite}});
  EXPECT_FALSE(Gate(user).may_replace(path("/x")));
  EXPECT_TRUE(Gate(user).may_replace(path("/b/x")));
}

TEST(GateTest, HardLinksGiveNoRightThatTheOldNameHadNot) {
  const std::uint32_t read_only = users::kList | users::kDownload;
  const users::User user = user_with({{"/", users::kAll},
                                      {"/ro", read_only},
                                      {"/links", read_only | users::kCreateSymlinks},
                                      {"/blind", users::kCreateSymlinks}});
  const Gate gate(user);
  EXPECT_TRUE(allowed(gate.check_hard_link(path("/a"), path("/b"))));
  EXPECT_TRUE(allowed(gate.check_hard_link(path("/ro/a"), path("/links/b"))));
  EXPECT_FALSE(allowed(gate.check_hard_link(path("/ro/a"), path("/b")))) << "would become writable";
  EXPECT_FALSE(allowed(gate.check_hard_link(path("/a"), path("/ro/b")))) << "no create_symlinks there";
  EXPECT_FALSE(allowed(gate.check_hard_link(path("/blind/a"), path("/blind/b")))) << "no download";
}

}  // namespace
}  // namespace host::vfs
