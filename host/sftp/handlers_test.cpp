// SPDX-License-Identifier: Apache-2.0
//
// What each request does and answers.
#include <set>

#include "host/core/limits.h"
#include "host/sftp/testing/channel_fixture.h"

namespace host::sftp {
namespace {

using namespace testing;

struct Name {
  std::string name, longname;
  std::uint32_t flags = 0, mode = 0;
  std::uint64_t size = 0;
};

std::vector<Name> names_of(const Reply& reply) {
  Reader in(as_bytes(reply.fields));
  std::vector<Name> names(in.u32());
  for (auto& name : names) {
    name.name = in.text();
    name.longname = in.text();
    name.flags = in.u32();
    if (name.flags == 0) continue;
    name.size = in.u64();
    in.u64();
    name.mode = in.u32();
    in.u64();
  }
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.left(), 0u);
  return names;
}

class HandlersTest : public ChannelFixture {
 protected:
  std::uint32_t code(const Ask& request) { return ask(request).code(); }
  std::set<std::string> offers() {
    start(false);
    send(Ask(Type::kInit, 3));
    const auto version = replies(1).at(0);
    Reader in(as_bytes(version.fields));
    std::set<std::string> names;
    while (in.left() > 0) {
      const auto name = std::string(in.text());
      names.insert(name + " " + std::string(in.text()));
    }
    return names;
  }
};

TEST_F(HandlersTest, AdvertisesWhatTheRootMountCanDo) {
  EXPECT_EQ(offers(),
            (std::set<std::string>{"posix-rename@openssh.com 1", "statvfs@openssh.com 2", "fstatvfs@openssh.com 2",
                                   "hardlink@openssh.com 1", "fsync@openssh.com 1", "lsetstat@openssh.com 1",
                                   "limits@openssh.com 1", "expand-path@openssh.com 1", "copy-data 1",
                                   "home-directory 1", "users-groups-by-id@openssh.com 1"}));
  fs->can = {};
  EXPECT_EQ(offers(), (std::set<std::string>{"limits@openssh.com 1", "expand-path@openssh.com 1", "home-directory 1"}));
}

TEST_F(HandlersTest, NamesAndPaths) {
  fs->put("/f", "data");
  start();
  EXPECT_EQ(code(Ask(Type::kMkdir, 1).text("/d").u32(0)), 0u);
  EXPECT_EQ(code(Ask(Type::kMkdir, 1).text("/d").u32(0)), 4u);
  EXPECT_EQ(ask(Ask(Type::kMkdir, 1).text("/d").u32(0)).status(), "already exists");
  EXPECT_EQ(code(Ask(Type::kMkdir, 1).text("/none/d").u32(0)), 2u);
  EXPECT_EQ(code(Ask(Type::kRename, 1).text("/f").text("/d/f")), 0u);
  EXPECT_EQ(code(path_ask(Type::kRmdir, 1, "/d")), 4u);
  EXPECT_EQ(code(path_ask(Type::kRmdir, 1, "/d/f")), 4u) << "it exists, but is no directory";
  EXPECT_EQ(code(path_ask(Type::kRemove, 1, "/d")), 4u);
  EXPECT_EQ(code(path_ask(Type::kRemove, 1, "/d/f")), 0u);
  EXPECT_EQ(code(path_ask(Type::kRmdir, 1, "d/")), 0u);
  EXPECT_EQ(code(path_ask(Type::kRmdir, 1, "/")), 3u);
}

TEST_F(HandlersTest, RenameNeverReplacesAndPosixRenameDoes) {
  fs->put("/a", "a");
  fs->put("/b", "b");
  start();
  const auto refused = ask(Ask(Type::kRename, 1).text("/a").text("/b"));
  EXPECT_EQ(refused.code(), 4u);
  EXPECT_EQ(refused.status(), "already exists");
  EXPECT_EQ(code(Ask::extended(1, "posix-rename@openssh.com").text("/a").text("/b")), 0u);
  EXPECT_EQ(fs->get("/b"), "a");
  fs->can.atomic_rename = false;
  EXPECT_EQ(code(Ask::extended(1, "posix-rename@openssh.com").text("/b").text("/a")), 8u);
}

TEST_F(HandlersTest, StatFollowsAndLstatDoesNot) {
  fs->put("/f", "data");
  start();
  EXPECT_EQ(code(Ask(Type::kSymlink, 1).text("f").text("/link")), 0u);
  EXPECT_EQ(fs->gate.calls().back(), "symlink f /link");
  const auto mode = [&](Type type, std::string_view path) {
    const auto reply = ask(path_ask(type, 1, path));
    EXPECT_EQ(reply.type, Type::kAttrs);
    Reader in(as_bytes(reply.fields));
    EXPECT_EQ(in.u32(), 15u);
    in.u64();
    in.u64();
    return in.u32();
  };
  EXPECT_EQ(mode(Type::kStat, "/link") & 0170000, 0100000u);
  EXPECT_EQ(mode(Type::kLstat, "/link") & 0170000, 0120000u);
  EXPECT_EQ(names_of(ask(path_ask(Type::kReadlink, 1, "/link"))).at(0).name, "f");
  EXPECT_EQ(code(path_ask(Type::kReadlink, 1, "/f")), 4u);
  fs->can.symlinks = false;
  EXPECT_EQ(code(path_ask(Type::kReadlink, 1, "/link")), 8u);
  EXPECT_EQ(code(Ask(Type::kSymlink, 1).text("f").text("/link2")), 8u);
}

TEST_F(HandlersTest, SetstatBySeveralWays) {
  fs->put("/f", "data");
  start();
  const auto file = open("/f", kRead);
  EXPECT_EQ(code(Ask(Type::kSetstat, 1).text("/f").u32(1).u64(2)), 0u);
  EXPECT_EQ(fs->get("/f"), "da");
  EXPECT_EQ(code(Ask(Type::kFsetstat, 1).text(file).u32(1).u64(1)), 0u);
  EXPECT_EQ(fs->get("/f"), "d");
  EXPECT_EQ(code(Ask::extended(1, "lsetstat@openssh.com").text("/f").u32(4).u32(0600)), 0u);
  EXPECT_EQ(fs->gate.calls().back(), "lset_attrs /f");
  EXPECT_EQ(code(Ask(Type::kSetstat, 1).text("/none").u32(0)), 2u);
}

TEST_F(HandlersTest, ErrorsTellNoServerPath) {
  fs->write_fails = core::Status::kNoSpace;
  start();
  const auto file = open("/f", kWrite | kCreate);
  const auto reply = ask(write_ask(1, file, 0, "x"));
  EXPECT_EQ(reply.code(), 4u);
  EXPECT_EQ(reply.status(), "no space left");
}

TEST_F(HandlersTest, OpenHonoursItsFlags) {
  start();
  EXPECT_EQ(code(open_ask(1, "/f", kRead)), 2u);
  EXPECT_EQ(code(open_ask(1, "/f", kWrite)), 2u);
  open("/f", kWrite | kCreate | kExclusive);
  EXPECT_EQ(ask(open_ask(1, "/f", kWrite | kCreate | kExclusive)).status(), "already exists");
  const auto file = open("/f", kWrite | kAppend);
  ask(write_ask(1, file, 0, "a"));
  ask(write_ask(1, file, 0, "b"));
  EXPECT_EQ(fs->get("/f"), "ab");
  EXPECT_EQ(ask(read_ask(1, file, 0, 1)).status(), "not open for reading");
  open("/f", kWrite | kTruncate);
  EXPECT_EQ(fs->get("/f"), "");
  EXPECT_EQ(ask(write_ask(1, open("/f", kRead), 0, "x")).status(), "not open for writing");
  EXPECT_EQ(code(open_ask(1, "/", kRead)), 4u);
}

TEST_F(HandlersTest, LargestReadAndWrite) {
  start();
  const auto file = open("/f", kRead | kWrite | kCreate);
  const std::string data(core::limits::kMaxWriteBytes, 'x');
  EXPECT_EQ(code(write_ask(1, file, 0, data + data.substr(0, 900))), 0u);
  EXPECT_EQ(ask(read_ask(2, file, 0, 0xffffffff)).text().size(), core::limits::kMaxReadBytes);
  EXPECT_EQ(ask(read_ask(3, file, 0, 0)).text(), "");
}

TEST_F(HandlersTest, ListsInBoundedReplies) {
  std::set<std::string> expected;
  for (int index = 0; index < 300; ++index) {
    expected.insert("f" + std::to_string(index));
    fs->put("/f" + std::to_string(index), "x");
  }
  start();
  const auto dir = ask(path_ask(Type::kOpendir, 1, "/")).text();
  std::set<std::string> seen;
  int rounds = 0;
  for (;; ++rounds) {
    const auto reply = ask(handle_ask(Type::kReaddir, 2, dir));
    if (reply.type == Type::kStatus) {
      EXPECT_EQ(reply.code(), 1u);
      break;
    }
    const auto names = names_of(reply);
    EXPECT_LE(names.size(), core::limits::kMaxReaddirEntries);
    for (const auto& name : names) {
      EXPECT_TRUE(seen.insert(name.name).second) << name.name;
      EXPECT_EQ(name.flags, 15u);
      EXPECT_EQ(name.mode, 0100644u);
      EXPECT_EQ(name.longname.substr(0, 42), "-rw-r--r--    1 user0    group0          1");
    }
  }
  EXPECT_EQ(rounds, 3);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(fs->gate.count("user_name"), 1u) << "remembered for the channel";
  EXPECT_EQ(code(handle_ask(Type::kReaddir, 2, dir)), 1u);
  EXPECT_EQ(code(handle_ask(Type::kClose, 3, dir)), 0u);
  EXPECT_EQ(fs->gate.count("close_dir"), 1u);
}

TEST_F(HandlersTest, LongNamesMakeSmallerReplies) {
  for (int index = 0; index < 60; ++index) fs->put("/" + std::string(1500, 'n') + std::to_string(index), "");
  start();
  const auto dir = ask(path_ask(Type::kOpendir, 1, "/")).text();
  std::size_t seen = 0;
  for (auto reply = ask(handle_ask(Type::kReaddir, 2, dir)); reply.type == Type::kName;
       reply = ask(handle_ask(Type::kReaddir, 2, dir))) {
    EXPECT_LE(reply.fields.size(), core::limits::kMaxReaddirBytes);
    seen += names_of(reply).size();
  }
  EXPECT_EQ(seen, 60u);
}

TEST_F(HandlersTest, AListingThatNeverEndsIsStopped) {
  fs->listing_stuck = true;
  start();
  const auto dir = ask(path_ask(Type::kOpendir, 1, "/")).text();
  EXPECT_EQ(ask(handle_ask(Type::kReaddir, 2, dir)).status(), "input/output error");
}

TEST_F(HandlersTest, DirectoriesAndFilesAreNotMixedUp) {
  fs->put("/f", "data");
  start();
  const auto dir = ask(path_ask(Type::kOpendir, 1, "/")).text();
  const auto file = open("/f", kRead);
  EXPECT_EQ(code(path_ask(Type::kOpendir, 1, "/f")), 2u);
  EXPECT_EQ(code(handle_ask(Type::kReaddir, 1, file)), 4u);
  EXPECT_EQ(code(read_ask(1, dir, 0, 1)), 4u);
  EXPECT_EQ(code(write_ask(1, dir, 0, "x")), 4u);
  EXPECT_EQ(ask(handle_ask(Type::kFstat, 1, dir)).type, Type::kAttrs);
  EXPECT_EQ(code(Ask(Type::kFsetstat, 1).text(dir).u32(0)), 0u);
  EXPECT_EQ(code(Ask::extended(1, "fsync@openssh.com").text(dir)), 4u);
  EXPECT_EQ(ask(Ask::extended(1, "fstatvfs@openssh.com").text(dir)).type, Type::kExtendedReply);
  EXPECT_EQ(code(Ask::extended(1, "copy-data").text(dir).u64(0).u64(0).text(file).u64(0)), 4u);
}

TEST_F(HandlersTest, Statvfs) {
  fs->put("/f", "data");
  start();
  const auto file = open("/f", kRead);
  for (const auto& request :
       {Ask::extended(1, "statvfs@openssh.com").text("/f"), Ask::extended(1, "fstatvfs@openssh.com").text(file)}) {
    const auto reply = ask(request);
    EXPECT_EQ(reply.type, Type::kExtendedReply);
    ASSERT_EQ(reply.fields.size(), 11u * 8);
    Reader in(as_bytes(reply.fields));
    EXPECT_EQ(in.u64(), 4096u);
    for (int field = 0; field < 8; ++field) in.u64();
    EXPECT_EQ(in.u64(), 1u) << "read-only";
    EXPECT_EQ(in.u64(), 255u);
  }
  fs->can.statvfs = false;
  EXPECT_EQ(code(Ask::extended(1, "statvfs@openssh.com").text("/f")), 8u);
}

TEST_F(HandlersTest, LinksSyncAndHome) {
  fs->put("/f", "data");
  start();
  EXPECT_EQ(code(Ask::extended(1, "hardlink@openssh.com").text("/f").text("/g")), 0u);
  EXPECT_EQ(fs->get("/g"), "data");
  EXPECT_EQ(code(Ask::extended(1, "fsync@openssh.com").text(open("/f", kRead))), 0u);
  EXPECT_EQ(fs->gate.count("sync"), 1u);
  EXPECT_EQ(names_of(ask(Ask::extended(1, "home-directory").text("alice"))).at(0).name, "/");
  EXPECT_EQ(code(Ask::extended(1, "home-directory").text("bob")), 4u);
  EXPECT_EQ(names_of(ask(path_ask(Type::kRealpath, 1, "../x/."))).at(0).name, "/x");
  fs->can.hard_links = false;
  EXPECT_EQ(code(Ask::extended(1, "hardlink@openssh.com").text("/f").text("/h")), 8u);
}

TEST_F(HandlersTest, LimitsAreTheRealOnes) {
  start();
  const auto reply = ask(Ask::extended(1, "limits@openssh.com"));
  Reader fields(as_bytes(reply.fields));
  EXPECT_EQ(fields.u64(), core::limits::kMaxPacketBytes);
  EXPECT_EQ(fields.u64(), core::limits::kMaxReadBytes);
  EXPECT_EQ(fields.u64(), core::limits::kMaxWriteBytes);
  EXPECT_EQ(fields.u64(), core::limits::kMaxOpenHandles);
}

TEST_F(HandlersTest, UsersAndGroupsById) {
  start();
  const std::string ids("\0\0\0\1\0\0\1\0", 8);
  const auto reply = ask(Ask::extended(1, "users-groups-by-id@openssh.com").text(ids).text(ids));
  ASSERT_EQ(reply.type, Type::kExtendedReply);
  Reader in(as_bytes(reply.fields));
  Reader users(in.bytes());
  EXPECT_EQ(users.text(), "user1");
  EXPECT_EQ(users.text(), "") << "no name";
  EXPECT_TRUE(users.ok());
  Reader groups(in.bytes());
  EXPECT_EQ(groups.text(), "group1");
  ask(Ask::extended(1, "users-groups-by-id@openssh.com").text(ids).text(ids));
  EXPECT_EQ(fs->gate.count("user_name"), 2u) << "each is asked for once";
  EXPECT_EQ(fs->gate.count("group_name"), 2u);
  fs->can.owner_names = false;
  EXPECT_EQ(code(Ask::extended(1, "users-groups-by-id@openssh.com").text(ids).text(ids)), 8u);
}

TEST_F(HandlersTest, CopyData) {
  fs->put("/f", "0123456789");
  start();
  const auto file = open("/f", kRead | kWrite);
  const auto other = open("/g", kRead | kWrite | kCreate);
  const auto copy = [&](const std::string& from, std::uint64_t offset, std::uint64_t length, const std::string& to,
                        std::uint64_t at) {
    return ask(Ask::extended(1, "copy-data").text(from).u64(offset).u64(length).text(to).u64(at));
  };
  EXPECT_EQ(copy(file, 2, 3, other, 0).code(), 0u);
  EXPECT_EQ(fs->get("/g"), "234");
  EXPECT_EQ(copy(file, 0, 0, other, 3).code(), 0u);
  EXPECT_EQ(fs->get("/g"), "2340123456789");
  EXPECT_EQ(copy(file, 8, 5, other, 0).code(), 1u) << "the source is shorter";
  EXPECT_EQ(copy(file, 0, 4, file, 3).status(), "ranges overlap");
  EXPECT_EQ(copy(file, 0, 0, file, 20).status(), "ranges overlap");
  EXPECT_EQ(copy(file, 0, 4, file, 6).code(), 0u);
  EXPECT_EQ(fs->get("/f"), "0123450123");
  EXPECT_EQ(copy(file, 0, 1, "nothing!", 0).status(), "invalid handle");
  EXPECT_EQ(copy(file, 0, 0, other, ~std::uint64_t{0} >> 1).status(), "offset out of range");
}

}  // namespace
}  // namespace host::sftp
