// SPDX-License-Identifier: Apache-2.0
//
// Nothing outside the home is reached or shown, by dots, links of any kind or names that look alike; and links that
// stay inside work, whoever made them.
#include <sys/stat.h>

#include <string>

#include "mount_fixture.h"

namespace fs_local::test {
namespace {

constexpr std::uint32_t kWriteNew = SP_OPEN_WRITE | SP_OPEN_CREATE;

class Confinement : public Mounted {
 protected:
  // Every operation that follows links refuses `path`, and beside the home nothing changed.
  void expect_unreachable(const std::string& path, sp_status status = SP_E_DENIED) {
    SCOPED_TRACE(path);
    sp_attrs attrs{};
    attrs.valid = SP_ATTR_PERMS | SP_ATTR_MTIME;
    attrs.perms = 0777;
    EXPECT_EQ(status, c().stat(path));
    EXPECT_EQ(status, c().set(path, attrs));
    attrs.valid = SP_ATTR_SIZE;
    EXPECT_EQ(status, c().set(path, attrs));
    EXPECT_EQ(status, c().touch(path, SP_OPEN_READ));
    EXPECT_EQ(status, c().touch(path, kWriteNew));
    EXPECT_EQ(status, c().touch(path, kWriteNew | SP_OPEN_TRUNCATE));
    sp_dir* dir = nullptr;
    EXPECT_EQ(status, c().fs->ops->open_dir(c().fs, &c().op, sallyport::str(path), &dir, &c().error));
    sp_statvfs space{};
    space.struct_size = sizeof space;
    EXPECT_EQ(status, c().extension<sp_ext_statvfs>(SP_EXT_STATVFS)
                          ->statvfs(c().fs, &c().op, sallyport::str(path), &space, &c().error));
    expect_untouched();
  }
  // The same for names below `path`.
  void expect_no_way_through(const std::string& path) {
    SCOPED_TRACE(path);
    expect_unreachable(path + "/secret");
    put(home / "own", "own");
    EXPECT_EQ(SP_E_DENIED, c().stat(path + "/secret", SP_STAT_NOFOLLOW));
    EXPECT_EQ(SP_E_DENIED, c().touch(path + "/new", kWriteNew | SP_OPEN_EXCLUSIVE));
    EXPECT_EQ(SP_E_DENIED, c().mkdir(path + "/new"));
    EXPECT_EQ(SP_E_DENIED, c().remove(path + "/secret"));
    EXPECT_EQ(SP_E_DENIED, c().rmdir(path + "/dir"));
    EXPECT_EQ(SP_E_DENIED, c().rename(path + "/secret", "/stolen"));
    EXPECT_EQ(SP_E_DENIED, c().rename("/own", path + "/new"));
    EXPECT_EQ(SP_E_DENIED, c().rename("/own", path + "/secret", SP_RENAME_REPLACE));
    EXPECT_EQ(SP_E_DENIED, c().symlink("own", path + "/new"));
    EXPECT_EQ(SP_E_DENIED, c().symlink("/own", path + "/new"));
    EXPECT_EQ(SP_E_DENIED, c().hard_link(path + "/secret", "/stolen"));
    EXPECT_EQ(SP_E_DENIED, c().hard_link("/own", path + "/new"));
    std::string text;
    EXPECT_EQ(SP_E_DENIED, c().read_link(path + "/link", text));
    expect_untouched();
  }
  void expect_untouched() {
    EXPECT_EQ("secret", get(outside / "secret"));
    EXPECT_EQ(3, std::distance(disk::directory_iterator(outside), disk::directory_iterator()));
    EXPECT_EQ(disk::perms(0640), disk::status(outside / "secret").permissions());
  }
  void SetUp() override {
    disk::create_directory(outside / "dir");
    disk::create_symlink("secret", outside / "link");
    disk::permissions(outside / "secret", disk::perms(0640));
  }
};
FS_LOCAL_BOTH_WAYS(Confinement);

TEST_P(Confinement, DotsFromAHostThatDoesNotClean) {
  expect_unreachable("/../u2/secret");
  expect_unreachable("/./../u2/secret");
  ASSERT_EQ(SP_OK, c().mkdir("/d"));
  expect_unreachable("/d/../../u2/secret");
  expect_unreachable("/../../../../../../../../etc/passwd");
  for (const char* path : {"/..", "/d/..", "/d/.", "/../"}) {
    EXPECT_NE(SP_OK, c().stat(path, SP_STAT_NOFOLLOW)) << path;
    EXPECT_NE(SP_OK, c().mkdir(path)) << path;
    EXPECT_NE(SP_OK, c().rmdir(path)) << path;
    EXPECT_NE(SP_OK, c().rename(path, "/x")) << path;
    EXPECT_NE(SP_OK, c().rename("/d", path, SP_RENAME_REPLACE)) << path;
  }
  EXPECT_EQ(SP_E_DENIED, c().mkdir("/../u2/new"));
  expect_untouched();
}

TEST_P(Confinement, LinksThatLeave) {
  disk::create_symlink(outside, home / "absolute");
  disk::create_symlink("../u2", home / "relative");
  disk::create_symlink("absolute", home / "link_to_link");
  disk::create_directory(home / "d");
  disk::create_symlink("../../u2", home / "d/deep");
  disk::create_symlink("/", home / "root");
  disk::create_symlink("/proc/self/root" + outside.string(), home / "magic");
  for (const char* link : {"/absolute", "/relative", "/link_to_link", "/d/deep", "/magic"}) {
    expect_unreachable(link);
    expect_no_way_through(link);
    EXPECT_EQ(SP_OK, c().stat(link, SP_STAT_NOFOLLOW)) << "the link itself is the user's";
  }
  expect_unreachable("/root");
  expect_unreachable("/root/etc/passwd");
  for (const char* link : {"/absolute", "/relative", "/link_to_link", "/d/deep", "/magic", "/root"})
    EXPECT_EQ(SP_OK, c().remove(link));
  expect_untouched();
}

TEST_P(Confinement, DanglingLinksThatLeaveCreateNothing) {
  disk::create_symlink(outside / "new", home / "absolute");
  disk::create_symlink("../u2/new", home / "relative");
  expect_unreachable("/absolute");
  expect_unreachable("/relative");
  EXPECT_EQ(SP_E_EXISTS, c().touch("/relative", kWriteNew | SP_OPEN_EXCLUSIVE));
  EXPECT_EQ(SP_E_EXISTS, c().mkdir("/relative"));
  EXPECT_EQ(SP_OK, c().rename("/relative", "/moved"));
  expect_unreachable("/moved");
}

TEST_P(Confinement, NoLinkIsFollowedWhereNoneMayBe) {
  disk::create_directory(home / "real");
  std::ofstream(home / "real/file") << "data";
  disk::create_symlink("real/file", home / "last");
  disk::create_symlink("real", home / "middle");
  disk::create_symlink("real/new", home / "dangling");
  ASSERT_EQ(SP_OK, c().symlink("/real/file", "/absolute"));
  Client strict(home, GetParam(), 0xffffffff, 0xffffffff, 022, SP_MOUNT_NO_LINKS);
  for (const char* path : {"/last", "/middle/file", "/dangling", "/absolute"}) {
    EXPECT_EQ(SP_E_DENIED, strict.touch(path, SP_OPEN_READ)) << path;
    EXPECT_EQ(SP_E_DENIED, strict.touch(path, kWriteNew | SP_OPEN_TRUNCATE)) << path;
  }
  EXPECT_EQ(SP_E_DENIED, strict.rename("/middle/file", "/out"));
  EXPECT_EQ(SP_E_DENIED, strict.rename("/real/file", "/middle/file2"));
  EXPECT_EQ(SP_E_DENIED, strict.remove("/middle/file"));
  EXPECT_FALSE(disk::exists(home / "real/new"));
  EXPECT_EQ(4u, disk::file_size(home / "real/file"));
  EXPECT_EQ(SP_OK, strict.touch("/real/file", SP_OPEN_READ));
  EXPECT_EQ(SP_OK, strict.touch("/real/made", kWriteNew));
  EXPECT_EQ(SP_OK, strict.stat("/last", SP_STAT_NOFOLLOW));
  EXPECT_EQ(SP_OK, strict.rename("/last", "/moved"));
  EXPECT_EQ(SP_OK, c().touch("/middle/file", SP_OPEN_READ));
}

TEST_P(Confinement, LinksMadeByTheClientStartAtTheHome) {
  ASSERT_EQ(SP_OK, c().symlink(outside.string(), "/absolute"));
  EXPECT_EQ(SP_E_NOT_FOUND, c().stat("/absolute"));
  ASSERT_EQ(SP_OK, c().symlink("/../u2/secret", "/dots"));
  EXPECT_EQ(SP_E_NOT_FOUND, c().stat("/dots"));
  ASSERT_EQ(SP_OK, c().symlink("../u2/secret", "/relative"));
  expect_unreachable("/relative");
  EXPECT_EQ("../u2/secret", c().link_of("/relative"));
}

TEST_P(Confinement, ASiblingWithTheSamePrefixIsOutside) {
  disk::create_symlink(outside / "secret", home / "l");
  expect_unreachable("/l");
  EXPECT_EQ("status 2", c().link_of("/l"));
}

TEST_P(Confinement, LinksOfTheReplacedSystemWork) {
  disk::create_directories(home / "a/b");
  put(home / "a/b/f", "f");
  disk::create_symlink(home / "a/b", home / "dir");
  disk::create_symlink(home / "a/b/f", home / "a/file");
  disk::create_symlink(home, home / "a/top");
  disk::create_symlink(home / "a/new", home / "dangling");
  sp_attrs attrs;
  EXPECT_EQ(SP_OK, c().stat("/dir/f", attrs));
  EXPECT_EQ(SP_OK, c().stat("/a/file", attrs));
  EXPECT_EQ(SP_TYPE_FILE, attrs.type);
  EXPECT_EQ(SP_OK, c().stat("/a/top/dir/f", attrs));
  EXPECT_EQ(SP_OK, c().touch("/dangling", kWriteNew));
  EXPECT_TRUE(disk::exists(home / "a/new"));
  EXPECT_EQ(SP_OK, c().mkdir("/dir/sub"));
  EXPECT_TRUE(disk::exists(home / "a/b/sub"));
  EXPECT_EQ(SP_OK, c().rename("/dir/f", "/a/top/g"));
  EXPECT_EQ("/a/b", c().link_of("/dir"));
  EXPECT_EQ("/a/b/f", c().link_of("/a/file"));
  EXPECT_EQ("/", c().link_of("/a/top"));
}

TEST_P(Confinement, ReadLinkShowsNoServerPath) {
  disk::create_symlink("/etc/passwd", home / "passwd");
  disk::create_symlink(home / "../u2/secret", home / "dots");
  disk::create_symlink(outside / "secret", home / "sibling");
  for (const char* link : {"/passwd", "/dots", "/sibling"}) EXPECT_EQ("status 2", c().link_of(link)) << link;
  put(home / "f", "");
  EXPECT_EQ("status 8", c().link_of("/f"));
  EXPECT_EQ("status 8", c().link_of("/"));
  EXPECT_EQ("status 1", c().link_of("/none"));
}

TEST_P(Confinement, AHomeBehindALinkCountsUnderBothNames) {
  disk::create_directory_symlink(home, scratch.path() / "alias");
  Client alias(scratch.path() / "alias", GetParam());
  put(home / "f", "f");
  disk::create_symlink(home / "f", home / "real");
  disk::create_symlink(scratch.path() / "alias/f", home / "named");
  for (const char* link : {"/real", "/named"}) {
    EXPECT_EQ(SP_OK, alias.stat(link)) << link;
    EXPECT_EQ("/f", alias.link_of(link)) << link;
  }
}

TEST_P(Confinement, AbsoluteTargetsAreTheMountsAndComeBack) {
  disk::create_directories(home / "x/y");
  disk::create_directory(home / "a");
  put(home / "a/f", "f");
  for (const std::string link : {"/l", "/x/l", "/x/y/l"}) {
    ASSERT_EQ(SP_OK, c().symlink("/a/f", link));
    EXPECT_EQ("/a/f", c().link_of(link));
    EXPECT_EQ(SP_OK, c().stat(link));
    EXPECT_EQ("f", get(home.string() + link)) << "local tools follow it too";
  }
  ASSERT_EQ(SP_OK, c().symlink("/", "/x/top"));
  EXPECT_EQ("/", c().link_of("/x/top"));
  EXPECT_EQ(SP_OK, c().stat("/x/top/x/top/a/f"));
  // Below a linked directory the depth is that of the real one.
  ASSERT_EQ(SP_OK, c().symlink("x/y", "/short"));
  ASSERT_EQ(SP_OK, c().symlink("/a/f", "/short/m"));
  EXPECT_EQ("f", get(home / "x/y/m"));
  EXPECT_EQ("/a/f", c().link_of("/x/y/m"));
  EXPECT_EQ("/a/f", c().link_of("/short/m"));
}

TEST_P(Confinement, AbsoluteTargetsSurviveARename) {
  disk::create_directories(home / "x/y");
  put(home / "f", "f");
  put(home / "x/taken", "");
  ASSERT_EQ(SP_OK, c().symlink("/f", "/l"));
  ASSERT_EQ(SP_OK, c().rename("/l", "/x/y/l"));
  EXPECT_EQ("/f", c().link_of("/x/y/l"));
  EXPECT_EQ("f", get(home / "x/y/l"));
  EXPECT_EQ(SP_E_EXISTS, c().rename("/x/y/l", "/x/taken"));
  EXPECT_EQ(SP_E_IS_DIR, c().rename("/x/y/l", "/x", SP_RENAME_REPLACE));
  EXPECT_EQ(SP_OK, c().rename("/x/y/l", "/x/taken", SP_RENAME_REPLACE));
  EXPECT_EQ("f", get(home / "x/taken"));
  EXPECT_EQ(SP_E_NOT_FOUND, c().stat("/x/y/l", SP_STAT_NOFOLLOW));
  EXPECT_TRUE(disk::is_empty(home / "x/y"));
  // A moved directory takes its links along: shown is where they lead now.
  ASSERT_EQ(SP_OK, c().symlink("/f", "/x/y/l"));
  ASSERT_EQ(SP_OK, c().rename("/x/y", "/y"));
  EXPECT_EQ(".//../../f", c().link_of("/y/l"));
  expect_unreachable("/y/l");
}

TEST_P(Confinement, LinksInCirclesEnd) {
  disk::create_symlink("b", home / "a");
  disk::create_symlink("a", home / "b");
  disk::create_symlink(home / "self", home / "self");
  disk::create_symlink("grow/grow", home / "grow");
  EXPECT_EQ(SP_E_LOOP, c().stat("/a"));
  EXPECT_EQ(SP_E_LOOP, c().stat("/self"));
  EXPECT_EQ(SP_E_LOOP, c().stat("/grow"));
  EXPECT_EQ(SP_E_LOOP, c().touch("/a", kWriteNew));
  EXPECT_EQ(SP_E_LOOP, c().mkdir("/self/x"));
}

TEST_P(Confinement, DotsInLinksClimbWithinTheHome) {
  disk::create_directories(home / "x/y/z");
  put(home / "x/f", "f");
  disk::create_symlink("../../f", home / "x/y/z/l");
  disk::create_symlink("x/y/../y/z/../../f", home / "m");
  disk::create_symlink(home / "x/y/../f", home / "n");
  disk::create_symlink("x/..", home / "top");
  disk::create_symlink("../x/./y//z/", home / "x/slash");
  for (const char* path : {"/x/y/z/l", "/m", "/n", "/top/x/f", "/x/slash/../../f", "/x/slash/l"})
    EXPECT_EQ(SP_OK, c().stat(path)) << path;
  EXPECT_EQ(SP_E_NOT_DIR, c().stat("/x/f/../f"));
}

TEST_P(Confinement, LinksFullOfDotsAreBounded) {
  std::string text;
  while (text.size() < 4000) text += "d/../";
  disk::create_directory(home / "d");
  disk::create_symlink(text + "f0", home / "f1");
  for (int i = 1; i < 39; ++i)
    disk::create_symlink(text + "f" + std::to_string(i), home / ("f" + std::to_string(i + 1)));
  put(home / "f0", "");
  EXPECT_EQ(SP_OK, c().stat("/f1"));
  const sp_status status = c().stat("/f39");
  EXPECT_TRUE(status == SP_OK || status == SP_E_LOOP) << status;
}

}  // namespace
}  // namespace fs_local::test
