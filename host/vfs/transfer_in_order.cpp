// SPDX-License-Identifier: Apache-2.0
//
// Files of storages that take data from the beginning to the end. Where they are published when they are closed, a
// client that opens one without having it emptied may go on behind its end or write it anew, and its first write tells
// which; what it does not cover stays, and since an object store cannot keep a rest, it then stays whole.
#include <string>

#include "host/vfs/journal.h"
#include "host/vfs/transfer.h"

namespace host::vfs {

using core::Status;
using plugin::FsCaps;

Result<void> Transfer::write_in_order(std::span<const std::byte> data, std::uint64_t offset) {
  const auto at = plan_.append ? order_.end() : offset;
  if (written_ == 0 && !order_.has_gap()) {
    if (auto begun = begin_in_order(at); !begun) return begun;
  }
  return order_.put(data, at, [&](std::span<const std::byte> part, std::uint64_t where) {
    return file_->write_at(context_->op(), part, where);
  });
}

Result<void> Transfer::begin_in_order(std::uint64_t offset) {
  if (offset == 0) return order_.end() > 0 && caps_.has(FsCaps::kPublishOnClose) ? begin_anew() : core::ok();
  if (!replaces_ || has_size_) return core::ok();
  const auto old = old_size();
  if (!old) return old.error();
  if (*old > 0)
    return core::Error(Status::kUnsupported, "the storage continues no file, it must be written from its beginning");
  replaces_ = false;  // there is nothing to be continued, and writes may overtake each other
  return core::ok();
}

Result<void> Transfer::begin_anew() {
  if (order_.end() == 0) return core::ok();
  Attrs empty;
  empty.valid = Attrs::kSize;
  empty.size = 0;
  if (auto done = file_->set_attrs(context_->op(), empty); !done) return done;
  order_.start_over();
  replaces_ = true;
  has_size_ = false;
  return core::ok();
}

Result<std::uint64_t> Transfer::old_size() const {
  const auto there = place_.fs->stat(context_->op_to_the_end(), place_.path, true);
  if (!there && there.error().status == Status::kNotFound) return std::uint64_t{0};
  if (!there) return there.error();
  return there->size;
}

// Such files are as long as what was written into them: to say so changes nothing.
bool Transfer::knows_size(const Attrs& attrs) const {
  return ordered_ && caps_.has(FsCaps::kPublishOnClose) && attrs.has(Attrs::kSize) && attrs.size == order_.end() &&
         !order_.has_gap();
}

bool Transfer::empties(const Attrs& attrs) const {
  return ordered_ && caps_.has(FsCaps::kPublishOnClose) && attrs.has(Attrs::kSize) && attrs.size == 0 &&
         written_ == 0 && !order_.has_gap();
}

// False: nothing was written, so nothing changes.
Result<bool> Transfer::covers_old_content() const {
  if (!replaces_ || has_size_) return true;
  const auto old = old_size();
  if (!old) return old.error();
  if (*old <= order_.end()) return true;
  if (order_.end() == 0) return false;
  return core::Error(Status::kUnsupported, "only its first " + std::to_string(order_.end()) + " of " +
                                               std::to_string(*old) +
                                               " bytes were written, which the storage cannot change alone");
}

Result<void> Transfer::leave_as_it_is() {
  times_.valid &= Attrs::kMtime | Attrs::kAtime;
  if (times_.valid == 0) return core::ok();
  auto done = place_.fs->set_attrs(context_->op_to_the_end(), place_.path, true, times_);
  if (!done) journal::failure(*context_, "set attributes of", place_, done.error());
  return done;
}

}  // namespace host::vfs
