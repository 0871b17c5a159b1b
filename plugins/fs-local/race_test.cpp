// SPDX-License-Identifier: Apache-2.0
//
// A name that changes between a directory and a link to the outside, as fast as the machine can, while every
// operation works through it: nothing outside may be seen, made, changed or removed. Work is counted, not timed.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "mount_fixture.h"
#include "unique_fd.h"

namespace fs_local::test {
namespace {

constexpr int kRounds = 1000;
constexpr auto kPatience =
    std::chrono::seconds(60);  // beyond them, until both states were met: a busy machine may take turns

class RaceTest : public Mounted {
 protected:
  void SetUp() override {
    disk::create_directory(outside / "dir");
    disk::create_directory(home / "real");
    disk::create_directory(home / "flip");
    disk::create_symlink("../u2", home / "relative");
    disk::create_symlink(outside, home / "absolute");
    put(home / "own", "own");
    disk::permissions(outside / "secret", disk::perms(0640));
  }

  // Exchanges the two names until told to stop.
  void flip(const char* link) {
    while (!stop_) {
      if (::renameat2(AT_FDCWD, (home / "flip").c_str(), AT_FDCWD, (home / link).c_str(), RENAME_EXCHANGE) != 0) break;
      ++flips_;
    }
  }

  void work(int round) {
    const std::string name = "/flip/n" + std::to_string(round % 7);
    sp_file* file = nullptr;
    if (c().open(name, SP_OPEN_WRITE | SP_OPEN_CREATE, file) == SP_OK) {
      EXPECT_EQ(SP_OK, c().write(file, "planted", 0));
      c().close(file);
      ++through_;
    }
    std::string data;
    if (c().open("/flip/secret", SP_OPEN_READ, file) == SP_OK) {
      EXPECT_EQ(SP_OK, c().read(file, data, 0));
      c().close(file);
    }
    EXPECT_NE("secret", data);
    sp_attrs attrs{};
    attrs.valid = SP_ATTR_PERMS | SP_ATTR_SIZE;
    attrs.perms = 0777;
    EXPECT_NE(SP_OK, c().set("/flip/secret", attrs));
    c().mkdir(name + "d");
    c().rmdir(name + "d");
    c().rmdir("/flip/dir");
    c().remove("/flip/secret");
    c().symlink("/own", name + "l");
    c().rename(name, name + "m", SP_RENAME_REPLACE);
    EXPECT_NE(SP_OK, c().rename("/flip/secret", "/stolen"));
    c().hard_link("/own", name + "h");
    c().remove(name + "h");
    c().remove(name + "l");
    c().remove(name + "m");
    c().remove(name);
    sp_dir* dir = nullptr;
    if (c().fs->ops->open_dir(c().fs, &c().op, sallyport::str("/flip"), &dir, &c().error) == SP_OK) {
      const sp_entry_sink sink{nullptr, [](void*, const sp_entry* entry) noexcept -> sp_status {
                                 EXPECT_NE("secret", sallyport::view(entry->name));
                                 return SP_OK;
                               }};
      std::uint32_t at_end = 0;
      EXPECT_EQ(SP_OK, dir->ops->next(dir, &c().op, 100, &sink, &at_end, &c().error));
      dir->ops->close(dir);
    }
  }

  void race(const char* link) {
    std::thread flipper([&] { flip(link); });
    while (goes_on()) work(rounds_);
    stop_ = true;
    flipper.join();
    EXPECT_EQ("secret", get(outside / "secret"));
    EXPECT_TRUE(disk::is_directory(outside / "dir"));
    EXPECT_EQ(2, std::distance(disk::directory_iterator(outside), disk::directory_iterator()));
    EXPECT_EQ(disk::perms(0640), disk::status(outside / "secret").permissions());
    EXPECT_FALSE(disk::exists(home / "stolen"));
    EXPECT_GT(flips_, 0);
    EXPECT_GT(through_, 0);
    EXPECT_LT(through_, rounds_ - 1);
  }

  // Both states must have been met, otherwise nothing is shown.
  bool goes_on() {
    if (HasFailure()) return false;
    if (rounds_++ < kRounds) return true;
    const bool met = flips_ > 0 && through_ > 0 && through_ < rounds_ - 1;
    return !met && std::chrono::steady_clock::now() < end_;
  }

  const std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kPatience;
  int rounds_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<int> flips_{0};
  int through_ = 0;
};
FS_LOCAL_BOTH_WAYS(RaceTest);

TEST_P(RaceTest, DirectoryAndRelativeLink) { race("relative"); }
TEST_P(RaceTest, DirectoryAndAbsoluteLink) { race("absolute"); }

// The directory being climbed out of by ".." is moved up meanwhile: the classic way out of a home.
TEST_P(RaceTest, ClimbingFromAMovedDirectory) {
  disk::create_directories(home / "a/b/c");
  disk::create_symlink("a/b/c/../../../own", home / "good");
  disk::create_symlink("a/b/c/../../../../u2/secret", home / "bad");
  std::thread mover([&] {
    while (!stop_) {
      disk::rename(home / "a/b/c", home / "c");
      disk::rename(home / "c", home / "a/b/c");
      ++flips_;
    }
  });
  while (goes_on()) {
    EXPECT_NE(SP_OK, c().touch("/bad", SP_OPEN_READ));
    if (c().touch("/good", SP_OPEN_READ) == SP_OK) ++through_;
  }
  stop_ = true;
  mover.join();
  EXPECT_GT(through_, 0);
}

}  // namespace
}  // namespace fs_local::test
