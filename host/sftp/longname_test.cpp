// SPDX-License-Identifier: Apache-2.0
#include "host/sftp/longname.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace host::sftp {
namespace {

using core::Attrs;
using core::FileType;

constexpr std::int64_t kNow = 1'700'000'000;  // 14 November 2023, 22:13:20 UTC

class Longname : public ::testing::Test {
 protected:
  Longname() {
    setenv("TZ", "UTC", 1);
    tzset();
  }
  static Attrs attrs(FileType type, std::uint32_t perms, std::uint64_t size, std::int64_t mtime_s) {
    Attrs out;
    out.valid = Attrs::kType | Attrs::kPerms | Attrs::kSize | Attrs::kMtime;
    out.type = type;
    out.perms = perms;
    out.size = size;
    out.mtime_ns = mtime_s * 1'000'000'000;
    return out;
  }
  static std::string line(const Attrs& of, std::string_view name = "name") {
    std::string out;
    append_longname(out, {.name = name, .user = "name", .group = "group", .attrs = of, .now_s = kNow});
    return out;
  }
};

TEST_F(Longname, LooksLikeLs) {
  EXPECT_EQ(line(attrs(FileType::kDir, 0755, 4096, kNow)),
            "drwxr-xr-x    1 name     group        4096 Nov 14 22:13 name");
  EXPECT_EQ(line(attrs(FileType::kFile, 0640, 12345678901, kNow - 8 * 86400)),
            "-rw-r-----    1 name     group    12345678901 Nov  6 22:13 name");
  EXPECT_EQ(line(attrs(FileType::kSymlink, 0777, 1, kNow)),
            "lrwxrwxrwx    1 name     group           1 Nov 14 22:13 name");
}

TEST_F(Longname, OldAndFutureTimesShowTheYear) {
  EXPECT_EQ(line(attrs(FileType::kFile, 0644, 0, kNow - 200 * 86400)),
            "-rw-r--r--    1 name     group           0 Apr 28  2023 name");
  EXPECT_EQ(line(attrs(FileType::kFile, 0644, 0, kNow + 60)),
            "-rw-r--r--    1 name     group           0 Nov 14  2023 name");
  EXPECT_EQ(line(attrs(FileType::kFile, 0644, 0, -1)).substr(43, 12), "Dec 31  1969");
}

TEST_F(Longname, SpecialBitsAndUnknownTypes) {
  EXPECT_EQ(line(attrs(FileType::kFile, 07777, 0, kNow)).substr(0, 10), "-rwsrwsrwt");
  EXPECT_EQ(line(attrs(FileType::kFile, 07000, 0, kNow)).substr(0, 10), "---S--S--T");
  EXPECT_EQ(line(attrs(FileType::kOther, 0600, 0, kNow)).substr(0, 10), "?rw-------");
}

TEST_F(Longname, AnyNameGoesThrough) {
  EXPECT_TRUE(line(attrs(FileType::kFile, 0644, 0, kNow), "\xff new\nline ").ends_with(" \xff new\nline "));
}

TEST_F(Longname, ModesWithoutStoredPermissions) {
  Attrs of;
  of.valid = Attrs::kType;
  of.type = FileType::kDir;
  EXPECT_EQ(posix_mode(of), 040755u);
  of.type = FileType::kFile;
  EXPECT_EQ(posix_mode(of), 0100644u);
}

}  // namespace
}  // namespace host::sftp
