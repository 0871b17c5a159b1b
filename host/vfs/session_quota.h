// SPDX-License-Identifier: Apache-2.0
//
// A session's side of quotas: the user's counters and the limits that the account had at login. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "host/core/attrs.h"
#include "host/vfs/quota.h"

namespace host::vfs {

struct SessionQuota {
  std::shared_ptr<UserUsage> usage;  // null: nothing is counted
  QuotaLimits limits;

  // Nothing, where nothing is counted.
  core::Result<std::optional<UserUsage::Names>> hold(const plugin::Op& op, std::set<core::VirtualPath> names) const {
    std::optional<UserUsage::Names> held;
    if (counts()) {
      auto got = usage->hold(op, std::move(names));
      if (!got) return got.error();
      held.emplace(*std::move(got));
    }
    return held;
  }
  bool counts() const { return usage != nullptr; }
  bool limits_size() const { return usage != nullptr && limits.size > 0; }
};

// What a name stands for, where only regular files are counted.
inline std::optional<std::int64_t> counted_size(const core::Result<core::Attrs>& attrs) {
  if (!attrs || attrs->type != core::FileType::kFile) return std::nullopt;
  return static_cast<std::int64_t>(attrs->size);
}

// A file that is open for writing in its place, or whose name is about to change. Several share what is counted; it is
// brought up to date when the last lets go, and with a limit before each byte.
class InPlace {
 public:
  // With the name held. `size_now` is asked only when nobody else writes to the file.
  template <class Size>
  InPlace(SessionQuota quota, const core::VirtualPath& path, Size&& size_now) : quota_(std::move(quota)) {
    const auto [file, first] = quota_.usage->open_files().attach(path);
    file_ = file;
    if (first) {
      const std::lock_guard lock(file_->mutex);
      file_->counted = size_now();
    }
  }
  ~InPlace() {
    settle([] { return std::nullopt; });
  }
  InPlace(const InPlace&) = delete;
  InPlace& operator=(const InPlace&) = delete;

  core::Result<void> make_room(std::int64_t end) {
    if (!quota_.limits_size()) return core::ok();
    const std::lock_guard lock(file_->mutex);
    return grow(end);
  }
  core::Result<void> make_room_behind(std::int64_t bytes) {
    if (!quota_.limits_size()) return core::ok();
    const std::lock_guard lock(file_->mutex);
    return grow(file_->counted + bytes);
  }
  // It has this size now, whatever was counted.
  void resized(std::int64_t size) {
    const std::lock_guard lock(file_->mutex);
    correct(size);
  }
  bool has_name(const core::VirtualPath& path) const { return quota_.usage->open_files().has(path, file_); }
  // The name means nothing now, or another file: what this one was counted with.
  std::int64_t replaced() {
    const std::lock_guard lock(file_->mutex);
    if (std::exchange(file_->gone, true)) return 0;
    quota_.usage->open_files().forget(file_);
    return file_->counted;
  }
  // The end, as long as the file can be asked for its size: it is, when nobody else writes to it.
  template <class Size>
  void settle(Size&& final_size) {
    if (!file_) return;
    const auto file = file_;
    const std::lock_guard lock(file->mutex);
    if (quota_.usage->open_files().detach(file)) {
      if (const std::optional<std::int64_t> size = final_size()) correct(*size);
    }
    file_ = nullptr;
  }

 private:
  core::Result<void> grow(std::int64_t end) {
    if (file_->gone || end <= file_->counted) return core::ok();
    if (auto room = quota_.usage->take(quota_.limits, end - file_->counted); !room) return room;
    file_->counted = end;
    return core::ok();
  }
  void correct(std::int64_t size) {
    if (!file_->gone && size != file_->counted) quota_.usage->count({size - file_->counted, 0});
    file_->counted = size;
  }

  const SessionQuota quota_;
  CountedFiles::FilePtr file_;
};

}  // namespace host::vfs
