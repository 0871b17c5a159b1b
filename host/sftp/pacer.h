// SPDX-License-Identifier: Apache-2.0
//
// Holds back the READs and WRITEs of a user with bandwidth limits until they are paid for, before they are queued for
// scheduling. I/O thread only; time is the caller's.
#pragma once

#include <memory>
#include <vector>

#include "host/sftp/handles.h"
#include "host/sftp/request_queue.h"
#include "host/vfs/throttle.h"

namespace host::sftp {

class Pacer {
 public:
  explicit Pacer(const Handles& handles) : handles_(handles) {}

  // Takes the request when it has to wait, for its bytes to be due or behind others of its file that do.
  bool hold(Request& request, vfs::Time now);
  // Moves what may go by now to the end of the queue: what came earlier for the same file is there already.
  void release(vfs::Time now, RequestQueue& into);
  // A request is over: what it did not move is the transfer's again.
  static void settle(const Request& request);

  // When release() has something to do; the maximum when nothing waits.
  vfs::Time next() const;
  bool empty() const { return lanes_.empty(); }
  void clear() { lanes_.clear(); }

 private:
  // What waits for one open file, in the order it came.
  struct Lane {
    std::shared_ptr<OpenHandle> handle;
    RequestQueue waiting;
    vfs::Time when;
    bool writes = false;
  };
  bool hold_behind_others(Request& request, std::size_t first_lane);
  static bool may_go(Lane& lane, vfs::Time now);

  const Handles& handles_;
  std::vector<Lane> lanes_;
};

}  // namespace host::sftp
