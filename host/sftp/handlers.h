// SPDX-License-Identifier: Apache-2.0
//
// One function per request: does the work through vfs and encodes the reply. They may block and run on a worker of the
// pool concerned, except those of Kind::kQuick.
#pragma once

#include <atomic>
#include <memory>

#include "host/core/block.h"
#include "host/sftp/names.h"
#include "host/sftp/requests.h"
#include "host/vfs/session_fs.h"

namespace host::sftp {

// What a handler may use besides its request.
struct Call {
  vfs::SessionFs& fs;
  OwnerNames& names;  // only requests that run alone use it
  const std::atomic<bool>& abandoned;
  core::BlockQueue& out;
  bool again = false;  // set by a handler that wants to be called again with the same request (copy-data)
};

// handlers_file.cpp
void handle_open(Call& call, Request& request);
void handle_close(Call& call, Request& request);
void handle_read(Call& call, Request& request);
void handle_write(Call& call, Request& request);
void handle_fstat(Call& call, Request& request);
void handle_fsetstat(Call& call, Request& request);
// The READ if that needs no waiting; false: nothing was put out. On the I/O thread.
bool read_in_place(core::BlockQueue& out, Request& request);

// handlers_path.cpp
void handle_init(Call& call, Request& request);
void handle_stat(Call& call, Request& request);
void handle_lstat(Call& call, Request& request);
void handle_setstat(Call& call, Request& request);
void handle_remove(Call& call, Request& request);
void handle_mkdir(Call& call, Request& request);
void handle_rmdir(Call& call, Request& request);
void handle_realpath(Call& call, Request& request);
void handle_rename(Call& call, Request& request);
void handle_readlink(Call& call, Request& request);
void handle_symlink(Call& call, Request& request);

// handlers_dir.cpp
void handle_opendir(Call& call, Request& request);
void handle_readdir(Call& call, Request& request);

// extensions.cpp
void handle_posix_rename(Call& call, Request& request);
void handle_statvfs(Call& call, Request& request);
void handle_fstatvfs(Call& call, Request& request);
void handle_hardlink(Call& call, Request& request);
void handle_fsync(Call& call, Request& request);
void handle_lsetstat(Call& call, Request& request);
void handle_limits(Call& call, Request& request);
void handle_home_directory(Call& call, Request& request);
void handle_users_groups(Call& call, Request& request);
void handle_copy_data(Call& call, Request& request);

}  // namespace host::sftp
