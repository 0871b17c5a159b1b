// SPDX-License-Identifier: Apache-2.0
//
// The table (I/O thread only) and the end of a handle that nobody closed (any thread). Knows no packets.
#include "host/sftp/handles.h"

#include <utility>

#include "host/core/limits.h"

namespace host::sftp {
namespace {

// What is left to close. Members go in reverse order: files before the mount they came from.
struct Leftover {
  std::shared_ptr<vfs::SessionFs> fs;
  std::unique_ptr<vfs::OpenFile> file;
  std::unique_ptr<vfs::OpenDir> dir;
};

}  // namespace

OpenHandle::~OpenHandle() {
  if (!file && !dir) return;
  auto& pool = file ? file->pool() : dir->pool();
  auto leftover = std::make_shared<Leftover>();
  leftover->fs = std::move(fs);
  leftover->file = std::move(file);
  leftover->dir = std::move(dir);
  pool.submit_cleanup([leftover = std::move(leftover)]() mutable {
    // The vfs logs what goes wrong; there is nobody left to tell.
    if (leftover->file) (void)leftover->file->close(true);
    leftover.reset();
  });
}

std::shared_ptr<OpenHandle> Handles::reserve(std::shared_ptr<vfs::SessionFs> fs, const vfs::VirtualPath& path) {
  if (usage_->handles >= core::limits::kMaxOpenHandles) return nullptr;
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const auto slot = free_.back();
  free_.pop_back();
  if (++generation_ == 0) ++generation_;  // so that no handle is 0
  auto handle = std::make_shared<OpenHandle>();
  const auto& throttle = fs->identity().throttle;
  if (throttle.upload) handle->upload = std::make_unique<vfs::Flow>(throttle.upload);
  if (throttle.download) handle->download = std::make_unique<vfs::Flow>(throttle.download);
  handle->fs = std::move(fs);
  handle->path = path;
  handle->id = std::uint64_t{slot} << 32 | generation_;
  slots_[slot] = handle;
  ++used_;
  ++usage_->handles;
  return handle;
}

void Handles::settle(OpenHandle& handle) {
  if (!handle.file && !handle.dir) {
    release(handle);
    return;
  }
  handle.state = OpenHandle::State::kOpen;
  handle.is_file = handle.file != nullptr;
  handle.is_upload = handle.is_file && handle.file->writable();
  files_ += handle.is_file ? 1 : 0;
  uploads_ += handle.is_upload ? 1 : 0;
}

std::shared_ptr<OpenHandle> Handles::find(HandleId id) const {
  const auto slot = id >> 32;
  if (slot >= slots_.size()) return nullptr;
  const auto& handle = slots_[slot];
  if (!handle || handle->id != id || handle->state != OpenHandle::State::kOpen) return nullptr;
  return handle;
}

void Handles::release(OpenHandle& handle) {
  const auto slot = static_cast<std::uint32_t>(handle.id >> 32);
  files_ -= handle.is_file ? 1 : 0;
  uploads_ -= handle.is_upload ? 1 : 0;
  --used_;
  --usage_->handles;
  if (used_ == 0) {  // an idle channel keeps nothing; the generation goes on counting
    slots_ = {};
    free_ = {};
    return;
  }
  slots_[slot].reset();
  free_.push_back(slot);
}

void Handles::clear() {
  usage_->handles -= used_;
  slots_ = {};
  free_ = {};
  used_ = files_ = uploads_ = 0;
}

}  // namespace host::sftp
