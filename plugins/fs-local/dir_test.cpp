// SPDX-License-Identifier: Apache-2.0
//
// Listing: complete, once each, whatever room the host has, and in memory that does not grow.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <string>

#include "mount_fixture.h"
#include "unique_fd.h"

namespace fs_local::test {
namespace {

// Takes `room` entries per call, then answers SP_E_FULL.
struct Taker {
  std::size_t room = SIZE_MAX;
  sp_status refusal = SP_E_FULL;
  std::size_t taken_now = 0;
  std::map<std::string, sp_attrs> seen;
  std::size_t repeated = 0;

  static sp_status add(void* ctx, const sp_entry* entry) noexcept {
    auto* taker = static_cast<Taker*>(ctx);
    if (taker->taken_now == taker->room) return taker->refusal;
    ++taker->taken_now;
    if (!taker->seen.emplace(std::string(sallyport::view(entry->name)), *entry->attrs).second) ++taker->repeated;
    return SP_OK;
  }
};

class DirTest : public Mounted {
 protected:
  sp_status open_dir(std::string_view path, sp_dir*& dir) {
    return c().fs->ops->open_dir(c().fs, &c().op, sallyport::str(path), &dir, &c().error);
  }
  sp_dir* opened(std::string_view path) {
    sp_dir* dir = nullptr;
    EXPECT_EQ(SP_OK, open_dir(path, dir));
    return dir;
  }
  sp_status next(sp_dir* dir, std::uint32_t max, Taker& taker, bool& end) {
    taker.taken_now = 0;
    const sp_entry_sink sink{&taker, &Taker::add};
    std::uint32_t at_end = 0;
    const sp_status status = dir->ops->next(dir, &c().op, max, &sink, &at_end, &c().error);
    end = at_end != 0;
    return status;
  }
  // Calls needed to see everything.
  int list(std::string_view path, std::uint32_t max, Taker& taker) {
    sp_dir* dir = opened(path);
    int calls = 0;
    for (bool end = false; !end; ++calls) {
      EXPECT_EQ(SP_OK, next(dir, max, taker, end));
      EXPECT_LE(taker.taken_now, max);
    }
    dir->ops->close(dir);
    return calls;
  }
};
FS_LOCAL_BOTH_WAYS(DirTest);

TEST_P(DirTest, TellsWhatTheEntriesThemselvesAre) {
  put(home / "f", "123");
  disk::create_directory(home / "d");
  ASSERT_EQ(SP_OK, c().symlink("f", "/l"));
  ASSERT_EQ(SP_OK, c().symlink("nowhere", "/dangling"));
  ASSERT_EQ(0, ::mkfifo((home / "fifo").c_str(), 0600));
  Taker taker;
  EXPECT_EQ(1, list("/", 100, taker));
  ASSERT_EQ(5u, taker.seen.size());
  EXPECT_EQ(SP_TYPE_FILE, taker.seen["f"].type);
  EXPECT_EQ(3u, taker.seen["f"].size);
  EXPECT_EQ(SP_TYPE_DIR, taker.seen["d"].type);
  EXPECT_EQ(SP_TYPE_SYMLINK, taker.seen["l"].type);
  EXPECT_EQ(SP_TYPE_SYMLINK, taker.seen["dangling"].type);
  EXPECT_EQ(SP_TYPE_OTHER, taker.seen["fifo"].type);
  Taker empty;
  EXPECT_EQ(1, list("/d", 100, empty));
  EXPECT_TRUE(empty.seen.empty());
}

TEST_P(DirTest, RefusesWithReason) {
  put(home / "f", "");
  sp_dir* dir = nullptr;
  EXPECT_EQ(SP_E_NOT_DIR, open_dir("/f", dir));
  EXPECT_EQ(SP_E_NOT_FOUND, open_dir("/none", dir));
  ASSERT_EQ(0, ::mkfifo((home / "fifo").c_str(), 0600));
  EXPECT_EQ(SP_E_NOT_DIR, open_dir("/fifo", dir));
  Taker taker;
  taker.room = 0;
  taker.refusal = SP_E_CANCELLED;
  bool end = false;
  dir = opened("/");
  EXPECT_EQ(SP_E_CANCELLED, next(dir, 10, taker, end));
  dir->ops->close(dir);
}

TEST_P(DirTest, KeepsTheEntryThatHadNoRoom) {
  for (int i = 0; i < 50; ++i) put(home / std::to_string(i), "");
  for (const std::size_t room : {1u, 3u, 49u, 50u, 51u}) {
    Taker taker;
    taker.room = room;
    list("/", 1000, taker);
    EXPECT_EQ(50u, taker.seen.size()) << room;
    EXPECT_EQ(0u, taker.repeated) << room;
  }
  Taker taker;
  list("/", 7, taker);
  EXPECT_EQ(50u, taker.seen.size());
}

TEST_P(DirTest, LeavesOutWhatVanished) {
  for (int i = 0; i < 20; ++i) put(home / std::to_string(i), "");
  sp_dir* dir = opened("/");
  Taker taker;
  taker.room = 1;
  bool end = false;
  ASSERT_EQ(SP_OK, next(dir, 100, taker, end));  // all names are in readdir's buffer now
  for (int i = 0; i < 20; ++i) disk::remove(home / std::to_string(i));
  taker.room = SIZE_MAX;
  ASSERT_EQ(SP_OK, next(dir, 100, taker, end));
  EXPECT_TRUE(end);
  EXPECT_EQ(1u, taker.seen.size());
  dir->ops->close(dir);
}

TEST_P(DirTest, NamesWithoutAttributesWhereSearchIsForbidden) {
  if (root()) GTEST_SKIP() << "root may search everywhere";
  disk::create_directory(home / "d");
  put(home / "d/f", "123");
  disk::permissions(home / "d", disk::perms::owner_read);
  Taker taker;
  list("/d", 100, taker);
  ASSERT_EQ(1u, taker.seen.size());
  EXPECT_EQ(0u, taker.seen["f"].valid & ~SP_ATTR_TYPE);
  disk::permissions(home / "d", disk::perms::owner_all);
}

TEST_P(DirTest, ALargeDirectoryTakesNoMoreMemory) {
  constexpr int kEntries = 20'000;
  disk::create_directory(home / "big");
  const UniqueFd dir_fd(::open((home / "big").c_str(), O_RDONLY | O_DIRECTORY));
  put(home / "one", "");
  for (int i = 0; i < kEntries; ++i) {
    ASSERT_EQ(0, ::linkat(AT_FDCWD, (home / "one").c_str(), dir_fd.get(), ("entry-" + std::to_string(i)).c_str(), 0));
  }
  // Counts only, so that the test itself keeps nothing.
  std::size_t count = 0;
  const sp_entry_sink sink{&count, [](void* ctx, const sp_entry*) noexcept -> sp_status {
                             ++*static_cast<std::size_t*>(ctx);
                             return SP_OK;
                           }};
  rusage before{}, after{};
  ASSERT_EQ(0, ::getrusage(RUSAGE_SELF, &before));
  sp_dir* dir = opened("/big");
  for (std::uint32_t at_end = 0; at_end == 0;)
    ASSERT_EQ(SP_OK, dir->ops->next(dir, &c().op, 100, &sink, &at_end, &c().error));
  dir->ops->close(dir);
  ASSERT_EQ(0, ::getrusage(RUSAGE_SELF, &after));
  EXPECT_EQ(static_cast<std::size_t>(kEntries), count);
  EXPECT_LE(after.ru_maxrss - before.ru_maxrss, 1024) << "kB";
}

}  // namespace
}  // namespace fs_local::test
