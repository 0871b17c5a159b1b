// SPDX-License-Identifier: Apache-2.0
#include "host/vfs/session_fs.h"

#include "host/vfs/fixture_test.h"

namespace host::vfs {
namespace {

using core::Status;
using plugin::FsCaps;
using testing::path;
using testing::status_of;

class SessionFsTest : public testing::SessionTest {
 protected:
  void without(std::uint64_t flags) {
    disk_.flags &= ~flags;
    login(users::kAll);
  }
  static Attrs attrs(std::uint32_t valid) {
    Attrs out;
    out.valid = valid;
    out.perms = 04640;
    out.uid = 7;
    out.gid = Attrs::kKeep;
    out.size = 2;
    out.mtime_ns = 1'500'000'000'000'000'000;
    out.atime_ns = 1'400'000'000'000'000'000;
    return out;
  }
};

constexpr std::uint32_t kEverySettable = Attrs::kPerms | Attrs::kOwner | Attrs::kSize | Attrs::kMtime | Attrs::kAtime;

TEST_F(SessionFsTest, NoOperationReachesTheStorageWithoutItsRight) {
  disk_.file("/f");
  disk_.dir("/d");
  disk_.calls.clear();
  login(0);
  EXPECT_EQ(status_of(session_->stat(path("/f"), true)), Status::kDenied);
  EXPECT_EQ(status_of(session_->open(path("/f"), {.read = true})), Status::kDenied);
  EXPECT_EQ(status_of(session_->open(path("/f"), {.write = true})), Status::kDenied);
  EXPECT_EQ(status_of(session_->open_dir(path("/d"))), Status::kDenied);
  EXPECT_EQ(status_of(session_->mkdir(path("/n"), {})), Status::kDenied);
  EXPECT_EQ(status_of(session_->rmdir(path("/d"))), Status::kDenied);
  EXPECT_EQ(status_of(session_->remove(path("/f"))), Status::kDenied);
  EXPECT_EQ(status_of(session_->rename(path("/f"), path("/g"), true)), Status::kDenied);
  EXPECT_EQ(status_of(session_->symlink("f", path("/l"))), Status::kDenied);
  EXPECT_EQ(status_of(session_->read_link(path("/f"))), Status::kDenied);
  EXPECT_EQ(status_of(session_->hard_link(path("/f"), path("/h"))), Status::kDenied);
  EXPECT_EQ(status_of(session_->statvfs(path("/f"))), Status::kDenied);
  for (const std::uint32_t group : {Attrs::kPerms, Attrs::kOwner, Attrs::kSize, Attrs::kMtime}) {
    EXPECT_EQ(status_of(session_->set_attrs(path("/f"), attrs(group), true)), Status::kDenied);
  }
  EXPECT_TRUE(disk_.calls.empty());
}

TEST_F(SessionFsTest, CapabilitiesAreCheckedBeforeTheStorage) {
  disk_.file("/f");
  disk_.extensions = false;
  without(FsCaps::kSymlinks | FsCaps::kTruncate | FsCaps::kSetPerms | FsCaps::kSetOwner | FsCaps::kSetTimes);
  disk_.calls.clear();
  EXPECT_EQ(status_of(session_->symlink("f", path("/l"))), Status::kUnsupported);
  EXPECT_EQ(status_of(session_->read_link(path("/f"))), Status::kUnsupported);
  EXPECT_EQ(status_of(session_->hard_link(path("/f"), path("/h"))), Status::kUnsupported);
  EXPECT_EQ(status_of(session_->statvfs(path("/f"))), Status::kUnsupported);
  for (const std::uint32_t group : {Attrs::kPerms, Attrs::kOwner, Attrs::kSize, Attrs::kMtime}) {
    EXPECT_EQ(status_of(session_->set_attrs(path("/f"), attrs(group), true)), Status::kUnsupported);
  }
  EXPECT_EQ(session_->user_name(path("/"), 1000), "1000");
  EXPECT_TRUE(disk_.calls.empty());
  const Features features = session_->features(path("/"));
  EXPECT_FALSE(features.symlinks || features.hard_links || features.statvfs || features.owner_names);
}

TEST_F(SessionFsTest, ResumeIsRefusedWhereTheMountCannot) {
  disk_.file("/f", "old");
  without(FsCaps::kResume);
  EXPECT_EQ(status_of(session_->open(path("/f"), {.write = true, .create = true})), Status::kUnsupported);
  EXPECT_EQ(status_of(session_->open(path("/f"), {.write = true})), Status::kUnsupported);
  EXPECT_EQ(status_of(session_->open(path("/none"), {.write = true})), Status::kNotFound);
  EXPECT_EQ(disk_.data("/f"), "old");
  EXPECT_TRUE(session_->open(path("/f"), {.write = true, .create = true, .truncate = true}));
}

TEST_F(SessionFsTest, UploadAndOverwriteAreDifferentRights) {
  disk_.file("/old");
  const OpenRequest put{.write = true, .create = true, .truncate = true};
  login(users::kUpload);
  EXPECT_TRUE(session_->open(path("/new"), put));
  EXPECT_EQ(status_of(session_->open(path("/old"), put)), Status::kDenied);
  EXPECT_EQ(disk_.data("/old"), "data") << "a refused overwrite must not empty the file";
  login(users::kOverwrite);
  EXPECT_EQ(status_of(session_->open(path("/absent"), put)), Status::kDenied);
  EXPECT_FALSE(disk_.has("/absent"));
  EXPECT_TRUE(session_->open(path("/old"), put));
  EXPECT_EQ(disk_.data("/old"), "");
}

TEST_F(SessionFsTest, WritingWithoutCreateMakesNoFile) {
  EXPECT_EQ(status_of(session_->open(path("/none"), {.write = true})), Status::kNotFound);
  EXPECT_FALSE(disk_.has("/none"));
}

TEST_F(SessionFsTest, ExclusiveCreationOfAnExistingFileSaysSo) {
  disk_.file("/f");
  EXPECT_EQ(status_of(session_->open(path("/f"), {.write = true, .create = true, .exclusive = true})), Status::kExists);
}

TEST_F(SessionFsTest, NewThingsHonourTheUmask) {
  login(users::kAll, {.umask = 027});
  ASSERT_TRUE(session_->open(path("/a"), {.write = true, .create = true}));
  EXPECT_EQ(disk_.last_perms, 0640U);
  OpenRequest request{.write = true, .create = true};
  request.attrs.valid = Attrs::kPerms;
  request.attrs.perms = 04777;
  ASSERT_TRUE(session_->open(path("/b"), request));
  EXPECT_EQ(disk_.last_perms, 0750U) << "no setuid bit, umask applied";
  ASSERT_TRUE(session_->mkdir(path("/d"), {}));
  EXPECT_EQ(disk_.last_perms, 0750U);
}

TEST_F(SessionFsTest, SetAttrsAppliesEveryGroupAtOnceAndLogsEach) {
  disk_.file("/f", "12345");
  ASSERT_TRUE(session_->set_attrs(path("/f"), attrs(kEverySettable), true));
  EXPECT_EQ(disk_.last_set, kEverySettable);
  EXPECT_EQ(disk_.last_attrs.perms, 0640U) << "no setuid bit";
  EXPECT_EQ(disk_.data("/f"), "12");
  const auto lines = log_lines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["sender"], "Chmod");
  EXPECT_EQ(lines[0]["filemode"], "-rw-r-----");
  EXPECT_EQ(lines[0]["uid"], -1);
  EXPECT_EQ(lines[1]["sender"], "Chown");
  EXPECT_EQ(lines[1]["uid"], 7);
  EXPECT_EQ(lines[1]["gid"], -1);
  EXPECT_EQ(lines[2]["sender"], "Chtimes");
  EXPECT_NE(lines[2]["access_time"], lines[2]["modification_time"]);
  EXPECT_EQ(lines[2]["modification_time"].get<std::string>().size(), 19U);
  EXPECT_EQ(lines[2]["file_path"], "/srv/home/f");
}

TEST_F(SessionFsTest, OneRefusedGroupLeavesTheOthersUndone) {
  disk_.file("/f", "12345");
  login(users::kAll & ~users::kChown);
  EXPECT_EQ(status_of(session_->set_attrs(path("/f"), attrs(kEverySettable), true)), Status::kDenied);
  EXPECT_EQ(disk_.data("/f"), "12345");
  EXPECT_TRUE(log_lines().empty());
}

TEST_F(SessionFsTest, SetAttrsOfNothingIsFineEvenForAMissingPath) {
  EXPECT_TRUE(session_->set_attrs(path("/none"), {}, true));
  EXPECT_EQ(status_of(session_->set_attrs(path("/none"), attrs(Attrs::kPerms), true)), Status::kNotFound);
}

TEST_F(SessionFsTest, AnEntryForAFileDecidesAboutItsModeAndOneForADirectoryDoesNot) {
  disk_.file("/f");
  disk_.dir("/d");
  login({{"/", users::kList}, {"/f", users::kChmod}, {"/d", users::kChmod}});
  EXPECT_TRUE(session_->set_attrs(path("/f"), attrs(Attrs::kPerms), true));
  EXPECT_EQ(status_of(session_->set_attrs(path("/d"), attrs(Attrs::kPerms), true)), Status::kDenied);
}

TEST_F(SessionFsTest, IgnoreModeAnswersWithoutDoing) {
  disk_.file("/f", "12345");
  login(users::kOverwrite, {.ignore_setstat = true});
  disk_.calls.clear();
  EXPECT_TRUE(session_->set_attrs(path("/f"), attrs(kEverySettable & ~Attrs::kSize), true));
  EXPECT_TRUE(disk_.calls.empty());
  EXPECT_TRUE(session_->set_attrs(path("/f"), attrs(kEverySettable), true));
  EXPECT_EQ(disk_.last_set, Attrs::kSize) << "shortening is data, not decoration";
}

TEST_F(SessionFsTest, RenameReplacesOnlyWithOverwrite) {
  disk_.file("/a", "new");
  disk_.file("/b", "old");
  login(users::kRename);
  EXPECT_EQ(status_of(session_->rename(path("/a"), path("/b"), true)), Status::kDenied);
  EXPECT_EQ(disk_.data("/b"), "old");
  EXPECT_TRUE(session_->rename(path("/a"), path("/c"), true)) << "nothing there to replace";
  login(users::kRename | users::kOverwrite);
  EXPECT_EQ(status_of(session_->rename(path("/c"), path("/b"), false)), Status::kExists);
  EXPECT_TRUE(session_->rename(path("/c"), path("/b"), true));
  EXPECT_EQ(disk_.data("/b"), "new");
}

TEST_F(SessionFsTest, RenameReplaceNeedsTheCapability) {
  disk_.file("/a");
  disk_.file("/b");
  without(FsCaps::kRenameReplace);
  EXPECT_EQ(status_of(session_->rename(path("/a"), path("/b"), true)), Status::kUnsupported);
  EXPECT_TRUE(session_->rename(path("/a"), path("/c"), true));
}

TEST_F(SessionFsTest, FilteredNamesAreNotOpenedRemovedLinkedOrResized) {
  disk_.file("/a.exe");
  disk_.file("/a.txt");
  login_filtered({{"/", {}, {".exe"}}});
  EXPECT_EQ(status_of(session_->open(path("/a.exe"), {.read = true})), Status::kDenied);
  EXPECT_EQ(status_of(session_->open(path("/b.exe"), {.write = true, .create = true})), Status::kDenied);
  EXPECT_EQ(status_of(session_->remove(path("/a.exe"))), Status::kDenied);
  EXPECT_EQ(status_of(session_->hard_link(path("/a.exe"), path("/b.txt"))), Status::kDenied);
  EXPECT_EQ(status_of(session_->hard_link(path("/a.txt"), path("/b.exe"))), Status::kDenied);
  EXPECT_EQ(status_of(session_->set_attrs(path("/a.exe"), attrs(Attrs::kSize), true)), Status::kDenied);
  EXPECT_TRUE(session_->set_attrs(path("/a.exe"), attrs(Attrs::kPerms), true)) << "its content is what is protected";
  EXPECT_TRUE(session_->stat(path("/a.exe"), true));
  EXPECT_TRUE(session_->set_attrs(path("/a.txt"), attrs(Attrs::kSize), true));
  EXPECT_EQ(disk_.data("/a.txt"), "da");
}

TEST_F(SessionFsTest, FilteredNamesAreNoEndsOfARename) {
  disk_.file("/a.exe");
  disk_.file("/a.txt");
  disk_.dir("/tools.exe");
  disk_.dir("/docs");
  disk_.dir("/free");
  login_filtered({{"/", {}, {".exe"}}, {"/free", {}, {".zip"}}});
  EXPECT_EQ(status_of(session_->rename(path("/a.exe"), path("/b.txt"), false)), Status::kDenied);
  EXPECT_EQ(status_of(session_->rename(path("/a.txt"), path("/b.exe"), false)), Status::kDenied);
  EXPECT_TRUE(session_->rename(path("/tools.exe"), path("/other.exe"), false)) << "a directory";
  EXPECT_TRUE(session_->rename(path("/a.txt"), path("/c.txt"), false));
  // From one filter to another only by copying, which looks at every name.
  EXPECT_EQ(status_of(session_->rename(path("/c.txt"), path("/free/c.txt"), false)), Status::kCrossDevice);
  EXPECT_EQ(status_of(session_->rename(path("/docs"), path("/free/docs"), false)), Status::kCrossDevice);
  EXPECT_EQ(status_of(session_->rename(path("/free"), path("/gone"), false)), Status::kCrossDevice);
}

TEST_F(SessionFsTest, RenameOntoItselfIsFine) {
  disk_.file("/a");
  EXPECT_TRUE(session_->rename(path("/a"), path("/a"), false));
  EXPECT_EQ(status_of(session_->rename(path("/none"), path("/none"), false)), Status::kNotFound);
}

TEST_F(SessionFsTest, TheRootIsNotRemovedRenamedOrLinkedTo) {
  EXPECT_EQ(status_of(session_->rmdir(path("/"))), Status::kDenied);
  EXPECT_EQ(status_of(session_->rename(path("/"), path("/x"), false)), Status::kDenied);
  EXPECT_EQ(status_of(session_->symlink("/", path("/l"))), Status::kDenied);
  EXPECT_EQ(status_of(session_->symlink("..", path("/d/l"))), Status::kDenied);
}

TEST_F(SessionFsTest, LinkTargetsAreStoredAsSent) {
  ASSERT_TRUE(session_->symlink("../a//b", path("/d/l")));
  EXPECT_EQ(*session_->read_link(path("/d/l")), "../a//b");
  EXPECT_EQ(status_of(session_->symlink("", path("/l"))), Status::kInvalid);
  EXPECT_EQ(status_of(session_->symlink(std::string_view("a\0b", 3), path("/l"))), Status::kInvalid);
}

TEST_F(SessionFsTest, CommandLinesCarryRealPaths) {
  disk_.file("/f");
  disk_.file("/g");
  ASSERT_TRUE(session_->mkdir(path("/d"), {}));
  ASSERT_TRUE(session_->rename(path("/f"), path("/d/f"), false));
  ASSERT_TRUE(session_->symlink("f", path("/d/l")));
  ASSERT_TRUE(session_->hard_link(path("/g"), path("/h")));
  ASSERT_TRUE(session_->remove(path("/d/f")));
  ASSERT_TRUE(session_->rmdir(path("/d")));
  const std::vector<std::array<std::string, 3>> expected = {{"Mkdir", "/srv/home/d", ""},
                                                            {"Rename", "/srv/home/f", "/srv/home/d/f"},
                                                            {"Symlink", "/srv/home/d/f", "/srv/home/d/l"},
                                                            {"Link", "/srv/home/g", "/srv/home/h"},
                                                            {"Remove", "/srv/home/d/f", ""},
                                                            {"Rmdir", "/srv/home/d", ""}};
  const auto lines = log_lines();
  ASSERT_EQ(lines.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(lines[i]["level"], "info");
    EXPECT_EQ(lines[i]["sender"], expected[i][0]);
    EXPECT_EQ(lines[i]["file_path"], expected[i][1]);
    EXPECT_EQ(lines[i]["target_path"], expected[i][2]);
    EXPECT_EQ(lines[i]["username"], "alice");
    EXPECT_EQ(lines[i]["connection_id"], "c0ffee");
    EXPECT_EQ(lines[i]["protocol"], "SFTP");
    EXPECT_EQ(lines[i]["uid"], -1);
  }
}

TEST_F(SessionFsTest, FailuresOfTheStoreAreLoggedOnceAndMistakesOfClientsAreNot) {
  EXPECT_EQ(status_of(session_->stat(path("/none"), true)), Status::kNotFound);
  disk_.fail["mkdir"] = SP_E_NO_SPACE;
  EXPECT_EQ(status_of(session_->mkdir(path("/d"), {})), Status::kNoSpace);
  disk_.fail["stat"] = SP_E_NOT_FOUND;
  EXPECT_EQ(status_of(session_->stat(path("/"), true)), Status::kNotFound);
  disk_.fail["open"] = SP_E_DENIED;
  EXPECT_EQ(status_of(session_->open(path("/f"), {.read = true})), Status::kDenied);
  const auto lines = log_lines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["level"], "warn");
  EXPECT_EQ(lines[0]["sender"], "vfs");
  EXPECT_EQ(lines[0]["connection_id"], "c0ffee");
  EXPECT_EQ(lines[0]["message"], "mkdir \"/srv/home/d\" failed: the disk is on fire");
  EXPECT_EQ(lines[1]["message"], "stat \"/srv/home/\" failed: the disk is on fire") << "the home has vanished";
  EXPECT_EQ(lines[2]["message"], "open \"/srv/home/f\" failed: the disk is on fire") << "an unreadable file";
}

TEST_F(SessionFsTest, ListingsStreamAndKeepTheMountAlive) {
  for (const char* name : {"/d/a", "/d/b", "/d/c"}) disk_.file(name);
  disk_.dir("/d");
  auto dir = session_->open_dir(path("/d"));
  ASSERT_TRUE(dir);
  session_.reset();
  EXPECT_TRUE(disk_.mounted);
  std::string seen;
  const auto take = [&](std::string_view name, const Attrs& entry) {
    EXPECT_EQ(entry.type, core::FileType::kFile);
    if (seen.size() == 2 && name == "c") return seen += '|', false;
    seen += name;
    return true;
  };
  EXPECT_FALSE(*(*dir)->next(100, take));
  EXPECT_TRUE(*(*dir)->next(100, take));
  EXPECT_EQ(seen, "ab|c");
  dir->reset();
  EXPECT_FALSE(disk_.mounted);
}

TEST_F(SessionFsTest, OwnersWithoutANameAreNumbers) {
  EXPECT_EQ(session_->user_name(path("/"), 1000), "alice");
  EXPECT_EQ(session_->user_name(path("/"), 1001), "1001");
  EXPECT_EQ(session_->group_name(path("/"), 1000), "alice");
}

TEST_F(SessionFsTest, LinksAndRenamesStayInTheirMount) {
  testing::FakeDisk other;
  other.real_root = "/shared";
  std::vector<Mount> mounts;
  mounts.push_back({core::VirtualPath(), mount_fake(disk_)});
  mounts.push_back({path("/pub"), mount_fake(other)});
  session_ = make_session_fs(std::move(mounts), testing::identity_with({{"/", users::kAll}}), {});
  disk_.file("/f");
  EXPECT_EQ(status_of(session_->rename(path("/f"), path("/pub/f"), false)), Status::kCrossDevice);
  EXPECT_EQ(status_of(session_->hard_link(path("/f"), path("/pub/f"))), Status::kCrossDevice);
  EXPECT_EQ(status_of(session_->symlink("/f", path("/pub/l"))), Status::kCrossDevice);
  ASSERT_TRUE(session_->symlink("/pub/x", path("/pub/l")));
  EXPECT_EQ(other.data("/l"), "/x") << "absolute inside the mount";
  EXPECT_EQ(*session_->read_link(path("/pub/l")), "/pub/x") << "and seen from the session";
  session_.reset();  // before the second disk
}

}  // namespace
}  // namespace host::vfs
