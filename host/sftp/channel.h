// SPDX-License-Identifier: Apache-2.0
//
// One SFTP channel: bytes in, bytes out, files through vfs. Lives on one I/O thread; requests run in batches on the
// worker pool of the mount they concern, or in place where the storage can answer without blocking or nobody else is
// kept waiting. Knows no sockets and no SSH library.
#pragma once

#include <cstddef>
#include <memory>

#include "host/core/channel.h"
#include "host/vfs/session_fs.h"

namespace host::sftp {

// What the channels of one connection use together, so that many of them get no more than a few. I/O thread only.
struct Usage {
  std::size_t handles = 0;        // open files and directories
  std::size_t request_bytes = 0;  // of requests that wait or run
  // For whoever decides which thread serves the connection, and resets them:
  std::uint32_t short_requests = 0;  // answered by storage but for READs and WRITEs
  bool slow_storage = false;         // a job took longer than limits::kSlowJob
};

class Channel : public core::Channel {
 public:
  static std::shared_ptr<Channel> create(std::shared_ptr<vfs::SessionFs> fs, Hooks hooks, std::shared_ptr<Usage> usage);
};

}  // namespace host::sftp
