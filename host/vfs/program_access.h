// SPDX-License-Identifier: Apache-2.0
//
// What a program of the system (git, rsync) may touch for a user. Such a program knows no rights, filters, virtual
// folders or limits, so it is let at the files only where none of them could be passed by, and counted afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/core/result.h"
#include "host/core/vpath.h"

namespace host::vfs {

struct Context;

struct ProgramRequest {
  std::vector<core::VirtualPath> paths;  // what it is told to work on, and everything below
  // It can be led anywhere in the home by what it is sent: folders and filters anywhere rule it out. Else there is one
  // path, a directory, and the program is kept to that.
  bool anywhere = false;
  bool writes = false;   // what it is sent, to files
  bool removes = false;  // files, without bringing any
};

// Leave that was given, and the room that the program takes meanwhile.
class ProgramAccess {
 public:
  // kDenied: a right is missing or a path leads out of the home; kUnsupported: not with this account, or somebody wants
  // to be asked about every file; kNotFound; kQuota. [worker]
  static core::Result<std::unique_ptr<ProgramAccess>> begin(std::shared_ptr<const Context> context,
                                                            const ProgramRequest& request);
  ~ProgramAccess();
  ProgramAccess(const ProgramAccess&) = delete;
  ProgramAccess& operator=(const ProgramAccess&) = delete;

  const std::string& home() const { return home_; }    // a directory of this machine
  const std::string& below() const { return below_; }  // where in it; empty: all of it
  std::uint32_t uid() const { return uid_; }           // Attrs::kKeep: the server's
  std::uint32_t gid() const { return gid_; }
  std::uint32_t umask() const { return umask_; }
  bool may_link() const { return may_link_; }  // create_symlinks holds for every path

  // Before the program is given that many bytes: kQuota when there is no room for them. Any thread.
  core::Result<void> take(std::int64_t bytes);
  // After it has ended. Must what the account holds be counted anew?
  bool counts() const;
  // Counts it. For all that have ended before. [worker]
  void count();
  // When its files are counted: gives back the room that was kept for it. Any thread.
  void give_back();

 private:
  explicit ProgramAccess(std::shared_ptr<const Context> context) : context_(std::move(context)) {}

  const std::shared_ptr<const Context> context_;
  std::string home_, below_;
  std::uint32_t uid_, gid_, umask_;
  bool may_link_ = false;
  bool writes_ = false, removes_ = false;
  std::mutex mutex_;
  std::int64_t taken_ = 0;  // under mutex_
};

using ProgramAccessPtr = std::unique_ptr<ProgramAccess>;

}  // namespace host::vfs
