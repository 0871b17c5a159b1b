// SPDX-License-Identifier: Apache-2.0
//
// The set of open transfers of a session. Knows nothing of who looks at it.
#include "host/vfs/activity.h"

#include <utility>

namespace host::vfs {

std::int64_t wall_clock_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

Activity::Entry::Entry(std::shared_ptr<Activity> activity, bool upload, std::string path)
    : activity_(std::move(activity)),
      upload_(upload),
      path_(std::move(path)),
      started_ms_(wall_clock_ms()),
      last_ms_(started_ms_) {
  if (!activity_) return;
  const std::lock_guard lock(activity_->mutex_);
  activity_->open_.insert(this);
}

Activity::Entry::~Entry() {
  if (!activity_) return;
  const std::lock_guard lock(activity_->mutex_);
  activity_->open_.erase(this);
}

void Activity::Entry::add(std::uint64_t bytes) {
  if (!activity_) return;
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  last_ms_.store(wall_clock_ms(), std::memory_order_relaxed);
}

TransferInfo Activity::Entry::info() const {
  return {upload_, path_, started_ms_, last_ms_.load(std::memory_order_relaxed),
          bytes_.load(std::memory_order_relaxed)};
}

std::vector<TransferInfo> Activity::transfers() const {
  const std::lock_guard lock(mutex_);
  std::vector<TransferInfo> all;
  all.reserve(open_.size());
  for (const auto* entry : open_) all.push_back(entry->info());
  return all;
}

std::optional<TransferInfo> Activity::upload_to(std::string_view path) const {
  const std::lock_guard lock(mutex_);
  std::optional<TransferInfo> found;
  for (const auto* entry : open_) {
    if (!entry->upload_ || entry->path_ != path) continue;
    auto info = entry->info();
    if (!found || info.bytes > found->bytes) found = std::move(info);
  }
  return found;
}

}  // namespace host::vfs
