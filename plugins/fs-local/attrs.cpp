// SPDX-License-Identifier: Apache-2.0
//
// Reads and changes attributes of descriptors; never sees a path as more than text for the log. Any thread.
#include "attrs.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>

#include "errors.h"
#include "platform.h"

namespace fs_local {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr mode_t kPermBits = 07777;

std::int64_t ns_of(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * kNsPerSecond + time.tv_nsec;
}

// Times before 1970 count backwards in seconds and forwards in nanoseconds.
timespec time_of(bool given, std::int64_t ns) {
  if (!given) return {0, UTIME_OMIT};
  std::int64_t seconds = ns / kNsPerSecond, rest = ns % kNsPerSecond;
  if (rest < 0) {
    --seconds;
    rest += kNsPerSecond;
  }
  return {static_cast<time_t>(seconds), static_cast<long>(rest)};
}

std::uint32_t type_of(mode_t mode) {
  if (S_ISREG(mode)) return SP_TYPE_FILE;
  if (S_ISDIR(mode)) return SP_TYPE_DIR;
  if (S_ISLNK(mode)) return SP_TYPE_SYMLINK;
  return SP_TYPE_OTHER;
}

int truncate_to(int fd, std::uint64_t size) {
  if (size > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) {
    errno = EFBIG;
    return -1;
  }
  int result = 0;
  do {
    result = ::ftruncate(fd, static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  return result;
}

int change_perms(int fd, std::uint32_t perms) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return -1;
  if (S_ISLNK(st.st_mode)) {  // some file systems would claim success
    errno = EOPNOTSUPP;
    return -1;
  }
  return platform::change_mode(fd, perms & kPermBits);
}

}  // namespace

sp_attrs attrs_of(const struct stat& st) {
  sp_attrs attrs{};
  attrs.struct_size = sizeof attrs;
  attrs.valid =
      SP_ATTR_TYPE | SP_ATTR_PERMS | SP_ATTR_OWNER | SP_ATTR_SIZE | SP_ATTR_MTIME | SP_ATTR_ATIME | SP_ATTR_NLINK;
  attrs.type = type_of(st.st_mode);
  attrs.perms = st.st_mode & kPermBits;
  attrs.uid = st.st_uid;
  attrs.gid = st.st_gid;
  attrs.size = static_cast<std::uint64_t>(st.st_size);
  attrs.mtime_ns = ns_of(st.st_mtim);
  attrs.atime_ns = ns_of(st.st_atim);
  attrs.nlink = static_cast<std::uint32_t>(st.st_nlink);
  return attrs;
}

sallyport::Outcome<void> apply_attrs(int fd, const sp_attrs& attrs, std::string_view path) {
  if ((attrs.valid & SP_ATTR_SIZE) != 0 && truncate_to(fd, attrs.size) != 0) return failed("truncate", path);
  // Before the permissions, because a change of owner clears the set-id bits.
  if ((attrs.valid & SP_ATTR_OWNER) != 0 && platform::change_owner(fd, attrs.uid, attrs.gid) != 0)
    return failed("chown", path);
  if ((attrs.valid & SP_ATTR_PERMS) != 0 && change_perms(fd, attrs.perms) != 0) return failed("chmod", path);
  if ((attrs.valid & (SP_ATTR_MTIME | SP_ATTR_ATIME)) != 0) {
    const timespec times[2] = {time_of((attrs.valid & SP_ATTR_ATIME) != 0, attrs.atime_ns),
                               time_of((attrs.valid & SP_ATTR_MTIME) != 0, attrs.mtime_ns)};
    if (platform::change_times(fd, times) != 0) return failed("set times of", path);
  }
  return {};
}

}  // namespace fs_local
