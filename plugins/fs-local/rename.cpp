// SPDX-License-Identifier: Apache-2.0
//
// rename without replacement, by the system where it can. Works on names relative to directory descriptors that the
// caller resolved. Any thread.
#include "rename.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "platform.h"

namespace fs_local {
namespace {

constexpr mode_t kPlaceholderMode = 0700;

void remove_keeping_errno(int dir, const char* name, int flags) {
  const int kept = errno;
  ::unlinkat(dir, name, flags);
  errno = kept;
}

}  // namespace

bool rename_exclusive(int from_dir, const char* from, int to_dir, const char* to) {
  if (platform::rename_no_replace(from_dir, from, to_dir, to) == 0) return true;
  // EINVAL is also the answer to moving a directory into itself; doing it by hand gives the same.
  if (errno != EINVAL && errno != ENOSYS) return false;
  return rename_exclusive_by_hand(from_dir, from, to_dir, to);
}

bool rename_exclusive_by_hand(int from_dir, const char* from, int to_dir, const char* to) {
  struct stat st {};
  if (::fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (S_ISDIR(st.st_mode)) {
    // A directory may replace an empty one, and only mkdir can say that the name was free.
    if (::mkdirat(to_dir, to, kPlaceholderMode) != 0) return false;
    if (::renameat(from_dir, from, to_dir, to) == 0) return true;
    remove_keeping_errno(to_dir, to, AT_REMOVEDIR);
    return false;
  }
  if (::linkat(from_dir, from, to_dir, to, 0) != 0) return false;
  if (::unlinkat(from_dir, from, 0) == 0) return true;
  remove_keeping_errno(to_dir, to, 0);
  return false;
}

}  // namespace fs_local
