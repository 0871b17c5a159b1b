// SPDX-License-Identifier: Apache-2.0
//
// Open files and directories of one channel. A handle on the wire is slot and generation, so that a stale one never
// reaches another file. The table belongs to the I/O thread; an OpenHandle is shared with the batch that uses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "host/sftp/channel.h"
#include "host/sftp/replies.h"
#include "host/vfs/session_fs.h"

namespace host::sftp {

struct OpenHandle {
  enum class State { kOpening, kOpen, kClosing };

  // Whatever was not closed by request is closed as lost on its own pool; nobody waits for that.
  ~OpenHandle();

  // I/O thread:
  State state = State::kOpening;
  HandleId id = 0;
  bool is_file = false, is_upload = false;      // once open; also after the file itself is gone
  bool write_refused = false;                   // a WRITE never ran: the file must not be published
  std::unique_ptr<vfs::Flow> upload, download;  // null: no limit
  // Set before it is shared:
  std::shared_ptr<vfs::SessionFs> fs;
  vfs::VirtualPath path;
  bool append = false;
  // The batch that runs, otherwise the I/O thread for [quick] calls:
  std::unique_ptr<vfs::OpenFile> file;
  std::unique_ptr<vfs::OpenDir> dir;
  bool dir_at_end = false;
  std::uint64_t size_at_open = 0;  // known where `download` is set
};

class Handles {
 public:
  explicit Handles(std::shared_ptr<Usage> usage) : usage_(std::move(usage)) {}
  // A new handle in state kOpening; null when the connection has kMaxOpenHandles in use.
  std::shared_ptr<OpenHandle> reserve(std::shared_ptr<vfs::SessionFs> fs, const vfs::VirtualPath& path);
  // The request that opened it is done: kOpen when it holds something, else forgotten.
  void settle(OpenHandle& handle);
  // Null unless open: unknown, stale, opening and closing ones alike.
  std::shared_ptr<OpenHandle> find(HandleId id) const;
  void release(OpenHandle& handle);
  void clear();

  std::size_t files() const { return files_; }
  std::size_t uploads() const { return uploads_; }
  std::size_t size() const { return used_; }

 private:
  const std::shared_ptr<Usage> usage_;
  std::vector<std::shared_ptr<OpenHandle>> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t used_ = 0;
  std::size_t files_ = 0;
  std::size_t uploads_ = 0;
  std::uint32_t generation_ = 0;
};

}  // namespace host::sftp
