// SPDX-License-Identifier: Apache-2.0
//
// A session's uploads that have no name yet: what lies under which temporary name, by the path that the client opened.
// Whoever writes a file expects to see it; sshfs asks as soon as it has made one. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "host/core/vpath.h"
#include "host/plugin/storage_types.h"

namespace host::vfs {

class UnseenUploads {
 public:
  // One upload, for as long as it has no name.
  class Entry {
   public:
    Entry(std::shared_ptr<UnseenUploads> all, const core::VirtualPath& path, const core::BackendPath& temporary)
        : all_(std::move(all)) {
      const std::lock_guard lock(all_->mutex_);
      at_ = all_->paths_.emplace(path, temporary);
    }
    ~Entry() {
      const std::lock_guard lock(all_->mutex_);
      all_->paths_.erase(at_);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    const std::shared_ptr<UnseenUploads> all_;
    std::multimap<core::VirtualPath, core::BackendPath>::iterator at_;
  };

  // Of several the one that was opened last.
  std::optional<core::BackendPath> find(const core::VirtualPath& path) const {
    const std::lock_guard lock(mutex_);
    const auto [first, end] = paths_.equal_range(path);
    return first == end ? std::nullopt : std::optional(std::prev(end)->second);
  }

 private:
  mutable std::mutex mutex_;
  std::multimap<core::VirtualPath, core::BackendPath> paths_;
};

}  // namespace host::vfs
