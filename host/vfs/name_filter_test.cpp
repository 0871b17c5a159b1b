// SPDX-License-Identifier: Apache-2.0
#include "host/vfs/name_filter.h"

#include "host/vfs/fixture_test.h"

namespace host::vfs {
namespace {

using testing::path;

NameFilter filter_of(std::vector<users::ExtensionFilter> filters) {
  users::User user;
  user.filters.file_extensions = std::move(filters);
  return NameFilter(user);
}

TEST(NameFilter, WithoutFiltersEveryNameIsAllowed) {
  const auto filter = filter_of({});
  EXPECT_TRUE(filter.empty());
  EXPECT_TRUE(filter.allows(path("/a.exe")));
  EXPECT_TRUE(filter.same_for_trees(path("/a"), path("/b/c")));
}

TEST(NameFilter, DeniedWinsAndAnAllowedListDeniesTheRest) {
  const auto filter = filter_of({{"/", {".jpg", ".tar.gz"}, {".secret.jpg"}}});
  EXPECT_TRUE(filter.allows(path("/a.jpg")));
  EXPECT_TRUE(filter.allows(path("/deep/down/a.tar.gz")));
  EXPECT_FALSE(filter.allows(path("/a.gz")));
  EXPECT_FALSE(filter.allows(path("/my.secret.jpg")));
  EXPECT_FALSE(filter.allows(path("/jpg")));
}

TEST(NameFilter, CaseOfNeitherSideMatters) {
  const auto filter = filter_of({{"/", {}, {".ExE"}}});
  EXPECT_FALSE(filter.allows(path("/setup.exe")));
  EXPECT_FALSE(filter.allows(path("/SETUP.EXE")));
  EXPECT_TRUE(filter.allows(path("/setup.txt")));
}

TEST(NameFilter, TheNearestFilterDecidesAlone) {
  const auto filter = filter_of({{"/", {}, {".exe"}}, {"/tools", {}, {".txt"}}, {"/tools/old", {".zip"}, {}}});
  EXPECT_FALSE(filter.allows(path("/a.exe")));
  EXPECT_TRUE(filter.allows(path("/tools/a.exe")));
  EXPECT_FALSE(filter.allows(path("/tools/a.txt")));
  EXPECT_FALSE(filter.allows(path("/tools/old/deeper/a.exe")));
  EXPECT_TRUE(filter.allows(path("/tools/old/deeper/a.zip")));
  EXPECT_FALSE(filter.allows(path("/toolsmith/a.exe"))) << "/tools is no ancestor of /toolsmith";
}

TEST(NameFilter, TreesUnderOneFilterAreAlikeOthersAreNot) {
  const auto filter = filter_of({{"/docs", {}, {".exe"}}, {"/docs/in/here", {".a"}, {}}});
  EXPECT_TRUE(filter.same_for_trees(path("/docs/x"), path("/docs/y/z")));
  EXPECT_TRUE(filter.same_for_trees(path("/a"), path("/b")));
  EXPECT_FALSE(filter.same_for_trees(path("/docs/x"), path("/x"))) << "would leave its filter";
  EXPECT_FALSE(filter.same_for_trees(path("/docs/in"), path("/docs/out"))) << "a filter lies within";
  EXPECT_FALSE(filter.same_for_trees(path("/docs"), path("/papers"))) << "the filtered directory itself";
}

}  // namespace
}  // namespace host::vfs
