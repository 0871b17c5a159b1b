// SPDX-License-Identifier: Apache-2.0
//
// One user's files that are open for writing in their place, by name: how much of each is in the counters already.
// Several handles of one file share an entry, so that nothing is counted twice. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "host/core/vpath.h"

namespace host::vfs {

class CountedFiles {
 public:
  struct File {
    std::mutex mutex;
    std::int64_t counted = 0;  // bytes; under mutex
    bool gone = false;         // its name means nothing now, or another file; under mutex

   private:
    friend class CountedFiles;
    core::VirtualPath path_;  // these two under the table's mutex
    int writers_ = 0;
  };
  using FilePtr = std::shared_ptr<File>;

  // True: this is the file's only writer, whose duty is to set `counted`.
  std::pair<FilePtr, bool> attach(const core::VirtualPath& path);
  // True: that was the last writer. Call with file->mutex held.
  bool detach(const FilePtr& file);
  // This is the file of that name.
  bool has(const core::VirtualPath& path, const FilePtr& file);
  // Its name is free for another file. Call with file->mutex held.
  void forget(const FilePtr& file);
  // A file, or everything in a directory, has a new name.
  void moved(const core::VirtualPath& from, const core::VirtualPath& to);

 private:
  void erase(const File& file);

  std::mutex mutex_;
  std::map<core::VirtualPath, FilePtr> files_;
};

}  // namespace host::vfs
