// SPDX-License-Identifier: Apache-2.0
//
// A session's uploads that have no name yet, by the path that the client opened: under which temporary name they lie,
// or, where the storage keeps them out of sight, the attributes they are to get when they end. Whoever writes a file
// expects to see it; sshfs asks as soon as it has made one, and sets attributes by name before it closes. Any thread.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "host/core/attrs.h"
#include "host/core/vpath.h"

namespace host::vfs {

class UnseenUploads {
  struct Upload {
    std::optional<core::BackendPath> temporary;
    core::Attrs later;
  };

 public:
  // One upload, for as long as it has no name.
  class Entry {
   public:
    Entry(std::shared_ptr<UnseenUploads> all, const core::VirtualPath& path, std::optional<core::BackendPath> temporary)
        : all_(std::move(all)) {
      const std::lock_guard lock(all_->mutex_);
      at_ = all_->paths_.emplace(path, Upload{std::move(temporary), {}});
    }
    ~Entry() {
      const std::lock_guard lock(all_->mutex_);
      if (at_ != all_->paths_.end()) all_->paths_.erase(at_);
    }
    core::Attrs take_later() {
      const std::lock_guard lock(all_->mutex_);
      return std::exchange(at_->second.later, {});
    }
    // It has its name, or never will: what came since the last time, and none comes any more.
    core::Attrs end() {
      const std::lock_guard lock(all_->mutex_);
      const core::Attrs later = at_->second.later;
      all_->paths_.erase(std::exchange(at_, all_->paths_.end()));
      return later;
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    const std::shared_ptr<UnseenUploads> all_;
    std::multimap<core::VirtualPath, Upload>::iterator at_;
  };

  // All of several uploads to one path mean the one that was opened last.
  bool has(const core::VirtualPath& path) const {
    const std::lock_guard lock(mutex_);
    return paths_.contains(path);
  }
  std::optional<core::BackendPath> find(const core::VirtualPath& path) const {
    const std::lock_guard lock(mutex_);
    const auto [first, end] = paths_.equal_range(path);
    return first == end ? std::nullopt : std::prev(end)->second.temporary;
  }
  // False: there is none.
  bool set_later(const core::VirtualPath& path, const core::Attrs& attrs) {
    const std::lock_guard lock(mutex_);
    const auto [first, end] = paths_.equal_range(path);
    if (first == end) return false;
    core::Attrs& later = std::prev(end)->second.later;
    core::Attrs all = attrs;
    all.valid |= later.valid;
    if (!attrs.has(core::Attrs::kPerms)) all.perms = later.perms;
    if (!attrs.has(core::Attrs::kMtime)) all.mtime_ns = later.mtime_ns;
    if (!attrs.has(core::Attrs::kAtime)) all.atime_ns = later.atime_ns;
    if (!attrs.has(core::Attrs::kOwner)) {
      all.uid = later.uid;
      all.gid = later.gid;
    }
    later = all;
    return true;
  }

 private:
  mutable std::mutex mutex_;
  std::multimap<core::VirtualPath, Upload> paths_;
};

}  // namespace host::vfs
