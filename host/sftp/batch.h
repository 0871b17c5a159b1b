// SPDX-License-Identifier: Apache-2.0
//
// Requests handed to a worker together, and their replies on the way back. Filled on the I/O thread, run on one worker,
// settled on the I/O thread; whoever holds it last frees it, so a session may end at any point of that way.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "host/core/block.h"
#include "host/sftp/names.h"
#include "host/sftp/requests.h"
#include "host/vfs/session_fs.h"

namespace host::sftp {

// What workers share with their channel.
struct WorkerSide {
  const std::shared_ptr<vfs::SessionFs> fs;
  const std::function<void(std::function<void()>)> post;  // to the I/O thread
  std::atomic<bool> abandoned{false};
  OwnerNames names;  // requests that use it are barriers: one at a time
};

struct Batch {
  std::shared_ptr<WorkerSide> side;
  core::WorkerPool* pool = nullptr;
  std::vector<Request> requests;  // while a worker runs, only it changes the requests' bodies and handles' files
  core::BlockQueue replies;
  std::size_t bytes = 0;    // data moved, against kMaxBatchBytes
  bool alone = true;        // nothing else may run beside it
  bool unfinished = false;  // its only request wants another turn
  bool done = false;        // on the I/O thread: it has come back, its replies may have to wait for others
  bool slow = false;        // it took longer than limits::kSlowJob

  // On the worker. Stops between requests once the channel is abandoned.
  void run();
  // On a thread that serves nobody else, without requests that want another turn: what is left after kSlowJob is not
  // run but returned.
  std::shared_ptr<Batch> run_while_quick();
  std::size_t wire_bytes() const;  // of all its requests
};

// The bytes a request moves between disk and socket.
std::size_t data_bytes(const Request& request);
// False when the two may run at the same time: other files, or disjoint ranges of one that can take it.
bool conflict(const Request& a, const Request& b);
// Whether a batch has requests of a handle that another has requests of as well.
bool share_handle(const Batch& a, const Batch& b);
// How many batches of such requests the file can use at once; 1 for all that are no data requests.
std::uint32_t useful_lanes(const Request& request);

}  // namespace host::sftp
