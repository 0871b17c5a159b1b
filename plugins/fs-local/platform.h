// SPDX-License-Identifier: Apache-2.0
//
// Everything that POSIX does not give: one implementation file per system. All functions report through errno as
// system calls do and may be called from any thread.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>

namespace fs_local::platform {

// Flags of openat for a descriptor that only names an object: no rights on the object itself are needed, and with
// O_NOFOLLOW it may name a symbolic link.
#if defined(O_PATH)
inline constexpr int kNameOnly = O_PATH;
#else
#error "this system needs its own platform file"
#endif

// Can the kernel resolve a whole path beneath a directory by itself? Asked once.
bool has_open_beneath();

// openat whose resolution never leaves `root`: EXDEV when it would, also for every absolute link, and EAGAIN when the
// kernel could not be sure because of a rename elsewhere. ELOOP for any link where they are not to be followed.
int open_beneath(int root, const char* path, int flags, mode_t mode, bool follow_links);

// renameat that fails with EEXIST when `to` exists. EINVAL or ENOSYS when the file system cannot.
int rename_no_replace(int from_dir, const char* from, int to_dir, const char* to);

// pread of what is in memory already; EAGAIN when a disk would have to be asked, EOPNOTSUPP when that cannot be told.
ssize_t read_cached(int fd, void* buffer, std::size_t length, off_t offset);

// Moves bytes between two files inside the kernel; errno as copy_file_range(2).
ssize_t copy_bytes(int from, off_t from_offset, int to, off_t to_offset, std::size_t length);

// Change what a descriptor names, name-only descriptors and those of symbolic links included.
int change_mode(int fd, mode_t mode);
int change_owner(int fd, uid_t uid, gid_t gid);
int change_times(int fd, const timespec (&access_and_modification)[2]);

// Text of the link that a name-only descriptor names, as readlink(2).
ssize_t read_link(int fd, char* buffer, std::size_t length);

}  // namespace fs_local::platform
