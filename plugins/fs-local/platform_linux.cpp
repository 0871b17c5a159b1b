// SPDX-License-Identifier: Apache-2.0
//
// Linux: openat2(2), renameat2(2), preadv2(2), copy_file_range(2), fchmodat2(2) and the empty-path forms of the *at
// calls. Called on any thread. Knows nothing of paths' meaning, links or plugins.
#include "platform.h"

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "unique_fd.h"

namespace fs_local::platform {
namespace {

// Linux 6.6; younger than the headers of the systems we build on.
constexpr long kFchmodat2 = 452;

}  // namespace

bool has_open_beneath() {
  // Old kernels answer ENOSYS, some container filters EPERM; both mean the same here.
  static const bool has =
      static_cast<bool>(UniqueFd(open_beneath(AT_FDCWD, ".", kNameOnly | O_DIRECTORY | O_CLOEXEC, 0, true)));
  return has;
}

int open_beneath(int root, const char* path, int flags, mode_t mode, bool follow_links) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (!follow_links) how.resolve |= RESOLVE_NO_SYMLINKS;
  return static_cast<int>(::syscall(SYS_openat2, root, path, &how, sizeof how));
}

int rename_no_replace(int from_dir, const char* from, int to_dir, const char* to) {
  return ::renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
}

ssize_t read_cached(int fd, void* buffer, std::size_t length, off_t offset) {
  const iovec part{buffer, length};
  return ::preadv2(fd, &part, 1, offset, RWF_NOWAIT);
}

ssize_t copy_bytes(int from, off_t from_offset, int to, off_t to_offset, std::size_t length) {
  return ::copy_file_range(from, &from_offset, to, &to_offset, length, 0);
}

int change_mode(int fd, mode_t mode) {
  static std::atomic<bool> by_descriptor{true};
  if (by_descriptor.load(std::memory_order_relaxed)) {
    if (::syscall(kFchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0) return 0;
    if (errno != ENOSYS && errno != EPERM) return -1;
    if (errno == ENOSYS) by_descriptor.store(false, std::memory_order_relaxed);
  }
  // The kernel's own name for exactly this descriptor, not a path of ours.
  char name[32];
  std::snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  return ::fchmodat(AT_FDCWD, name, mode, 0);
}

int change_owner(int fd, uid_t uid, gid_t gid) { return ::fchownat(fd, "", uid, gid, AT_EMPTY_PATH); }

int change_times(int fd, const timespec (&access_and_modification)[2]) {
  return ::utimensat(fd, "", access_and_modification, AT_EMPTY_PATH);
}

ssize_t read_link(int fd, char* buffer, std::size_t length) { return ::readlinkat(fd, "", buffer, length); }

}  // namespace fs_local::platform
