// SPDX-License-Identifier: Apache-2.0
//
// Every operation of a mount, its effect on disk and its statuses.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "local_fs.h"
#include "mount_fixture.h"
#include "rename.h"
#include "unique_fd.h"

namespace fs_local::test {
namespace {

constexpr std::uint32_t kNew = SP_OPEN_WRITE | SP_OPEN_CREATE;

class FsTest : public Mounted {};
FS_LOCAL_BOTH_WAYS(FsTest);

mode_t mode_of(const disk::path& path) {
  struct stat st {};
  EXPECT_EQ(0, ::lstat(path.c_str(), &st));
  return st.st_mode & 07777;
}

TEST(Plugin, DescribesItself) {
  const sp_plugin* plugin = sp_plugin_v1();
  EXPECT_STREQ("fs-local", plugin->name);
  ASSERT_NE(nullptr, plugin->factories[0]);
  EXPECT_STREQ("fs-local", plugin->factories[0]->type);
  EXPECT_EQ(SP_KIND_STORAGE, plugin->factories[0]->kind);
  EXPECT_EQ(nullptr, plugin->factories[0]->user_schema);
  EXPECT_EQ(nullptr, plugin->factories[1]);
  void* out = nullptr;
  sp_error error{sizeof(sp_error), 0, 0, 0, {}};
  EXPECT_EQ(SP_E_INVALID, plugin->factories[0]->create(&test_host(), sallyport::str("[]"), &out, &error));
}

TEST(Mount, CreatesAMissingHome) {
  Scratch scratch;
  const disk::path home = scratch.path() / "a" / "b" / "u";
  Client client(home.string() + "/", true, ::geteuid(), ::getegid(), 027);
  ASSERT_EQ(SP_OK, client.mounted);
  EXPECT_EQ(0750u, mode_of(home));
}

TEST(Mount, RefusesWhatIsNoDirectory) {
  Scratch scratch;
  put(scratch.path() / "file", "");
  EXPECT_EQ(SP_E_NOT_DIR, Client(scratch.path() / "file", true).mounted);
  EXPECT_EQ(SP_E_NOT_DIR, Client(scratch.path() / "file" / "u", true).mounted);
  EXPECT_EQ(SP_E_INVALID, Client("relative", true).mounted);
  EXPECT_EQ(SP_E_INVALID, Client("", true).mounted);
}

TEST(Mount, LeavesAMissingHomeWhenToldSo) {
  Scratch scratch;
  void* made = nullptr;
  sp_error error{sizeof(sp_error), 0, 0, 0, {}};
  const sp_op op{sizeof(sp_op), 0, 0, 0, 0};
  ASSERT_EQ(SP_OK, sp_plugin_v1()->factories[0]->create(&test_host(), sallyport::str(R"({"create_home": false})"),
                                                        &made, &error));
  auto* storage = static_cast<sp_storage*>(made);
  const std::string root = (scratch.path() / "none").string();
  sp_mount_args args{};
  args.struct_size = sizeof args;
  args.root = sallyport::str(root);
  sp_fs* fs = nullptr;
  EXPECT_EQ(SP_E_NOT_FOUND, storage->ops->mount(storage, &op, &args, &fs, &error));
  EXPECT_NE(nullptr, std::strstr(error.message, root.c_str()));
  storage->ops->destroy(storage);
}

TEST_P(FsTest, StatTellsAll) {
  put(home / "f", "12345");
  ASSERT_EQ(0, ::chmod((home / "f").c_str(), 04751));
  ASSERT_EQ(SP_OK, c().symlink("f", "/l"));
  sp_attrs attrs;
  ASSERT_EQ(SP_OK, c().stat("/f", attrs));
  EXPECT_EQ(SP_TYPE_FILE, attrs.type);
  EXPECT_EQ(5u, attrs.size);
  EXPECT_EQ(04751u, attrs.perms);
  EXPECT_EQ(1u, attrs.nlink);
  EXPECT_EQ(::geteuid(), attrs.uid);
  ASSERT_EQ(SP_OK, c().stat("/l", attrs));
  EXPECT_EQ(SP_TYPE_FILE, attrs.type);
  ASSERT_EQ(SP_OK, c().stat("/l", attrs, SP_STAT_NOFOLLOW));
  EXPECT_EQ(SP_TYPE_SYMLINK, attrs.type);
  ASSERT_EQ(SP_OK, c().stat("/", attrs));
  EXPECT_EQ(SP_TYPE_DIR, attrs.type);
  EXPECT_EQ(SP_E_NOT_FOUND, c().stat("/none"));
  EXPECT_EQ(SP_E_NOT_FOUND, c().stat("/none/f"));
  EXPECT_EQ(SP_E_NOT_DIR, c().stat("/f/x"));
}

TEST_P(FsTest, NamesAreBytes) {
  for (const std::string name : {"\xff\xfe", "a\nb", " ", "-rf", "ü", "\\", "...", "*"}) {
    EXPECT_EQ(SP_OK, c().touch("/" + name, kNew));
    EXPECT_EQ(SP_OK, c().stat("/" + name));
    EXPECT_EQ(SP_OK, c().rename("/" + name, "/" + name + "\x01"));
    EXPECT_EQ(SP_OK, c().remove("/" + name + "\x01"));
  }
  EXPECT_EQ(SP_E_NAME_TOO_LONG, c().stat("/" + std::string(256, 'n')));
  EXPECT_EQ(SP_E_NAME_TOO_LONG, c().stat("/" + std::string(5000, 'n')));
  EXPECT_EQ(SP_E_INVALID, c().stat(std::string_view("/a\0b", 4)));
  EXPECT_EQ(SP_E_INVALID, c().stat("relative"));
  EXPECT_EQ(SP_E_INVALID, c().stat(""));
}

TEST_P(FsTest, MakesAndRemovesDirectories) {
  sp_attrs attrs{};
  attrs.valid = SP_ATTR_PERMS;
  attrs.perms = 02777;
  ASSERT_EQ(SP_OK, c().mkdir("/d"));
  EXPECT_EQ(0755u, mode_of(home / "d"));
  ASSERT_EQ(SP_OK, c().mkdir("/d/e", &attrs));
  EXPECT_EQ(02755u, mode_of(home / "d/e"));
  EXPECT_EQ(SP_E_EXISTS, c().mkdir("/d"));
  EXPECT_EQ(SP_E_EXISTS, c().mkdir("/"));
  EXPECT_EQ(SP_E_NOT_FOUND, c().mkdir("/none/d"));
  put(home / "f", "");
  EXPECT_EQ(SP_E_NOT_DIR, c().mkdir("/f/d"));
  EXPECT_EQ(SP_E_NOT_EMPTY, c().rmdir("/d"));
  EXPECT_EQ(SP_E_NOT_DIR, c().rmdir("/f"));
  EXPECT_EQ(SP_E_DENIED, c().rmdir("/"));
  EXPECT_EQ(SP_OK, c().rmdir("/d/e"));
  EXPECT_EQ(SP_OK, c().rmdir("/d"));
  EXPECT_EQ(SP_E_NOT_FOUND, c().rmdir("/d"));
}

TEST_P(FsTest, RemovesFilesAndLinks) {
  put(home / "f", "kept");
  ASSERT_EQ(SP_OK, c().symlink("f", "/l"));
  ASSERT_EQ(SP_OK, c().mkdir("/d"));
  EXPECT_EQ(SP_E_IS_DIR, c().remove("/d"));
  EXPECT_EQ(SP_E_DENIED, c().remove("/"));
  EXPECT_EQ(SP_E_NOT_DIR, c().rmdir("/l"));
  EXPECT_EQ(SP_OK, c().remove("/l"));
  EXPECT_EQ("kept", get(home / "f"));
  EXPECT_EQ(SP_OK, c().remove("/f"));
  EXPECT_EQ(SP_E_NOT_FOUND, c().remove("/f"));
}

TEST_P(FsTest, RenamesWithAndWithoutReplacing) {
  put(home / "a", "a");
  put(home / "b", "b");
  ASSERT_EQ(SP_OK, c().mkdir("/d"));
  ASSERT_EQ(SP_OK, c().mkdir("/full"));
  put(home / "full/x", "");
  EXPECT_EQ(SP_E_EXISTS, c().rename("/a", "/b"));
  EXPECT_EQ("b", get(home / "b"));
  EXPECT_EQ(SP_OK, c().rename("/a", "/b", SP_RENAME_REPLACE));
  EXPECT_EQ("a", get(home / "b"));
  EXPECT_EQ(SP_OK, c().rename("/b", "/d/c"));
  EXPECT_EQ(SP_E_NOT_FOUND, c().rename("/b", "/e"));
  EXPECT_EQ(SP_E_NOT_FOUND, c().rename("/d/c", "/none/e"));
  EXPECT_EQ(SP_E_INVALID, c().rename("/d", "/d/inside"));
  EXPECT_EQ(SP_E_IS_DIR, c().rename("/d/c", "/full", SP_RENAME_REPLACE));
  EXPECT_EQ(SP_E_NOT_DIR, c().rename("/full", "/d/c", SP_RENAME_REPLACE));
  EXPECT_EQ(SP_E_NOT_EMPTY, c().rename("/d", "/full", SP_RENAME_REPLACE));
  EXPECT_EQ(SP_E_DENIED, c().rename("/", "/e"));
  EXPECT_EQ(SP_E_DENIED, c().rename("/d", "/", SP_RENAME_REPLACE));
  EXPECT_EQ(SP_OK, c().rename("/d", "/d2"));
  EXPECT_EQ("a", get(home / "d2/c"));
}

TEST_P(FsTest, RenamesALinkItself) {
  put(home / "f", "f");
  ASSERT_EQ(SP_OK, c().symlink("f", "/l"));
  ASSERT_EQ(SP_OK, c().symlink("f", "/m"));
  EXPECT_EQ(SP_E_EXISTS, c().rename("/l", "/m"));
  EXPECT_EQ(SP_OK, c().rename("/l", "/n"));
  EXPECT_TRUE(disk::is_symlink(home / "n"));
  EXPECT_EQ(SP_OK, c().rename("/f", "/n", SP_RENAME_REPLACE));
  EXPECT_FALSE(disk::is_symlink(home / "n"));
}

TEST(RenameByHand, NeverReplaces) {
  Scratch scratch;
  const UniqueFd dir(::open(scratch.path().c_str(), O_RDONLY | O_DIRECTORY));
  const auto move = [&](const char* from, const char* to) {
    return rename_exclusive_by_hand(dir.get(), from, dir.get(), to);
  };
  put(scratch.path() / "a", "a");
  put(scratch.path() / "b", "b");
  disk::create_directories(scratch.path() / "d/sub");
  disk::create_directory(scratch.path() / "empty");
  EXPECT_FALSE(move("a", "b"));
  EXPECT_EQ(EEXIST, errno);
  EXPECT_FALSE(move("d", "empty"));
  EXPECT_EQ(EEXIST, errno);
  EXPECT_FALSE(move("d", "d/sub/inside"));
  EXPECT_EQ(EINVAL, errno);
  EXPECT_FALSE(disk::exists(scratch.path() / "d/sub/inside"));
  EXPECT_TRUE(move("a", "c"));
  EXPECT_EQ("a", get(scratch.path() / "c"));
  EXPECT_FALSE(disk::exists(scratch.path() / "a"));
  EXPECT_TRUE(move("d", "e"));
  EXPECT_TRUE(disk::exists(scratch.path() / "e/sub"));
  EXPECT_FALSE(move("none", "f"));
  EXPECT_EQ(ENOENT, errno);
}

TEST_P(FsTest, SetsAllAttributesAtOnce) {
  put(home / "f", "123456789");
  sp_attrs attrs{};
  attrs.valid = SP_ATTR_SIZE | SP_ATTR_PERMS | SP_ATTR_OWNER | SP_ATTR_MTIME | SP_ATTR_ATIME;
  attrs.size = 4;
  attrs.perms = 04640;
  attrs.uid = root() ? 1234 : ::geteuid();
  attrs.gid = root() ? 4321 : ::getegid();
  attrs.mtime_ns = 1'600'000'000'123'456'789;
  attrs.atime_ns = -1;
  ASSERT_EQ(SP_OK, c().set("/f", attrs));
  sp_attrs now;
  ASSERT_EQ(SP_OK, c().stat("/f", now));
  EXPECT_EQ(4u, now.size);
  EXPECT_EQ(04640u, now.perms);
  EXPECT_EQ(attrs.uid, now.uid);
  EXPECT_EQ(attrs.gid, now.gid);
  EXPECT_EQ(attrs.mtime_ns, now.mtime_ns);
  EXPECT_EQ(attrs.atime_ns, now.atime_ns);
}

TEST_P(FsTest, SetsOneTimeOnly) {
  put(home / "f", "");
  sp_attrs attrs{}, before, after;
  ASSERT_EQ(SP_OK, c().stat("/f", before));
  attrs.valid = SP_ATTR_MTIME;
  attrs.mtime_ns = 42;
  ASSERT_EQ(SP_OK, c().set("/f", attrs));
  ASSERT_EQ(SP_OK, c().stat("/f", after));
  EXPECT_EQ(42, after.mtime_ns);
  EXPECT_EQ(before.atime_ns, after.atime_ns);
}

TEST_P(FsTest, SetsAttributesOfTheLinkItself) {
  put(home / "f", "12345");
  ASSERT_EQ(SP_OK, c().symlink("f", "/l"));
  sp_attrs attrs{}, target, link;
  attrs.valid = SP_ATTR_MTIME | SP_ATTR_OWNER;
  attrs.mtime_ns = 7'000'000'001;
  attrs.uid = LocalFs::kKeep;
  attrs.gid = root() ? 77 : ::getegid();
  ASSERT_EQ(SP_OK, c().set("/l", attrs, SP_STAT_NOFOLLOW)) << c().error.message;
  ASSERT_EQ(SP_OK, c().stat("/l", link, SP_STAT_NOFOLLOW));
  ASSERT_EQ(SP_OK, c().stat("/f", target));
  EXPECT_EQ(attrs.mtime_ns, link.mtime_ns);
  EXPECT_EQ(attrs.gid, link.gid);
  EXPECT_NE(attrs.mtime_ns, target.mtime_ns);
  attrs = {};
  attrs.valid = SP_ATTR_PERMS;
  EXPECT_EQ(SP_E_UNSUPPORTED, c().set("/l", attrs, SP_STAT_NOFOLLOW));
  attrs.valid = SP_ATTR_SIZE;
  EXPECT_EQ(SP_E_UNSUPPORTED, c().set("/l", attrs, SP_STAT_NOFOLLOW));
  EXPECT_EQ("12345", get(home / "f"));
  attrs.valid = SP_ATTR_PERMS;
  attrs.perms = 0600;
  EXPECT_EQ(SP_OK, c().set("/f", attrs, SP_STAT_NOFOLLOW));
  EXPECT_EQ(0600u, mode_of(home / "f"));
}

TEST_P(FsTest, SetAttributesRefusesWithReason) {
  sp_attrs attrs{};
  ASSERT_EQ(SP_OK, c().mkdir("/d"));
  EXPECT_EQ(SP_E_NOT_FOUND, c().set("/none", attrs));
  EXPECT_EQ(SP_OK, c().set("/d", attrs));
  attrs.valid = SP_ATTR_SIZE;
  EXPECT_EQ(SP_E_IS_DIR, c().set("/d", attrs));
  put(home / "f", "x");
  attrs.size = UINT64_MAX;
  EXPECT_EQ(SP_E_NO_SPACE, c().set("/f", attrs));
  EXPECT_EQ("x", get(home / "f"));
  attrs.valid = SP_ATTR_PERMS;
  attrs.perms = 0700;
  EXPECT_EQ(SP_OK, c().set("/", attrs));
  if (root()) return;
  attrs.valid = SP_ATTR_OWNER;
  attrs.uid = 0;
  EXPECT_EQ(SP_E_DENIED, c().set("/f", attrs));
}

TEST_P(FsTest, ChangesAFileWithoutAnyPermission) {
  put(home / "f", "");
  ASSERT_EQ(0, ::chmod((home / "f").c_str(), 0));
  sp_attrs attrs{};
  attrs.valid = SP_ATTR_PERMS | SP_ATTR_MTIME;
  attrs.perms = 0644;
  attrs.mtime_ns = 5;
  EXPECT_EQ(SP_OK, c().set("/f", attrs));
  EXPECT_EQ(0644u, mode_of(home / "f"));
}

TEST_P(FsTest, RefusesTheUnreadable) {
  if (root()) GTEST_SKIP() << "nothing is unreadable for root";
  put(home / "f", "");
  ASSERT_EQ(SP_OK, c().mkdir("/d"));
  put(home / "d/f", "");
  disk::permissions(home / "f", disk::perms::none);
  disk::permissions(home / "d", disk::perms::none);
  EXPECT_EQ(SP_E_DENIED, c().touch("/f", SP_OPEN_READ));
  EXPECT_EQ(SP_E_DENIED, c().stat("/d/f"));
  sp_dir* dir = nullptr;
  EXPECT_EQ(SP_E_DENIED, c().fs->ops->open_dir(c().fs, &c().op, sallyport::str("/d"), &dir, &c().error));
  EXPECT_EQ(SP_E_DENIED, c().mkdir("/d/e"));
  disk::permissions(home / "d", disk::perms::owner_all);
}

TEST_P(FsTest, GivesWhatItCreatesToTheOwner) {
  if (!root()) GTEST_SKIP() << "only root gives files away";
  Client other(home, GetParam(), 1001, 1002, 0);
  const auto owner = [&](const char* path) {
    sp_attrs attrs;
    EXPECT_EQ(SP_OK, other.stat(path, attrs, SP_STAT_NOFOLLOW)) << path;
    return std::pair(attrs.uid, attrs.gid);
  };
  const std::pair<std::uint32_t, std::uint32_t> theirs(1001, 1002), ours(0, 0);
  sp_attrs attrs{};
  attrs.valid = SP_ATTR_PERMS;
  attrs.perms = 06755;
  sp_file* file = nullptr;
  ASSERT_EQ(SP_OK, other.open("/new", kNew, file, &attrs));
  ASSERT_EQ(SP_OK, other.close(file));
  EXPECT_EQ(theirs, owner("/new"));
  EXPECT_EQ(06755u, mode_of(home / "new"));
  ASSERT_EQ(SP_OK, other.mkdir("/dir"));
  EXPECT_EQ(theirs, owner("/dir"));
  ASSERT_EQ(SP_OK, other.symlink("dangling", "/link"));
  EXPECT_EQ(theirs, owner("/link"));
  EXPECT_EQ(SP_OK, other.touch("/link", kNew));
  EXPECT_EQ(theirs, owner("/dangling"));
  put(home / "old", "old");
  EXPECT_EQ(SP_OK, other.touch("/old", kNew));
  EXPECT_EQ(ours, owner("/old"));
  Client fresh(home / "fresh", GetParam(), 1001, 1002, 0);
  EXPECT_EQ(theirs, owner("/fresh"));
}

TEST_P(FsTest, HardLinks) {
  put(home / "f", "f");
  ASSERT_EQ(SP_OK, c().symlink("f", "/l"));
  EXPECT_EQ(SP_OK, c().hard_link("/f", "/g"));
  EXPECT_EQ(2u, disk::hard_link_count(home / "f"));
  EXPECT_EQ(SP_OK, c().hard_link("/l", "/m"));
  EXPECT_TRUE(disk::is_symlink(home / "m"));
  EXPECT_EQ(SP_E_EXISTS, c().hard_link("/f", "/g"));
  EXPECT_EQ(SP_E_NOT_FOUND, c().hard_link("/none", "/h"));
  ASSERT_EQ(SP_OK, c().mkdir("/d"));
  EXPECT_EQ(SP_E_DENIED, c().hard_link("/d", "/e"));
}

TEST_P(FsTest, Extensions) {
  sp_statvfs space{};
  space.struct_size = sizeof space;
  EXPECT_EQ(
      SP_OK,
      c().extension<sp_ext_statvfs>(SP_EXT_STATVFS)->statvfs(c().fs, &c().op, sallyport::str("/"), &space, &c().error));
  EXPECT_GT(space.blocks, 0u);
  EXPECT_EQ(255u, space.namemax);
  std::string text;
  const sp_sink sink = Client::text_sink(text);
  EXPECT_EQ(SP_OK, c().extension<sp_ext_real_path>(SP_EXT_REAL_PATH)
                       ->real_path(c().fs, sallyport::str("/no/such"), &sink, &c().error));
  EXPECT_EQ((home / "no/such").string(), text);
  const auto* names = c().extension<sp_ext_owner_names>(SP_EXT_OWNER_NAMES);
  for (int twice = 0; twice < 2; ++twice) {
    text.clear();
    EXPECT_EQ(SP_OK, names->user_name(c().fs, 0, &sink, &c().error));
    EXPECT_EQ(SP_OK, names->group_name(c().fs, 0, &sink, &c().error));
    EXPECT_EQ("rootroot", text);
    EXPECT_EQ(SP_E_NOT_FOUND, names->user_name(c().fs, 4'000'000'001, &sink, &c().error));
  }
  EXPECT_EQ(nullptr, c().extension<void>("storage.unheard_of/1"));
  sp_fs_caps caps{};
  caps.struct_size = sizeof caps;
  c().fs->ops->caps(c().fs, &caps);
  EXPECT_EQ(LocalFs::kMaxInflight, caps.max_inflight);
  EXPECT_NE(0u, caps.flags & SP_FS_NOWAIT_READ);
}

TEST_P(FsTest, FailuresNameThePathForTheLog) {
  EXPECT_EQ(SP_E_NOT_FOUND, c().stat("/no such file"));
  EXPECT_EQ(ENOENT, c().error.native_code);
  EXPECT_STREQ("stat /no such file: No such file or directory", c().error.message);
}

}  // namespace
}  // namespace fs_local::test
