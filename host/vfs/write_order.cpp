// SPDX-License-Identifier: Apache-2.0
//
// In order, which is nearly always, nothing is copied or allocated. Runs where the writes run; knows no storage.
#include "host/vfs/write_order.h"

namespace host::vfs {

using core::Status;

core::Result<void> WriteOrder::put(std::span<const std::byte> data, std::uint64_t offset, const Write& write) {
  if (data.empty()) return core::ok();
  if (offset < end_) {
    return core::Error(Status::kUnsupported, "the storage does not let written data be changed");
  }
  if (offset > end_) {
    if (data.size() > kMaxWaitingBytes - waiting_bytes_ || waiting_.contains(offset)) {
      return core::Error(Status::kUnsupported, "the storage takes data in order, and this is too far ahead");
    }
    waiting_[offset].assign(data.begin(), data.end());
    waiting_bytes_ += data.size();
    return core::ok();
  }
  if (auto done = write(data, offset); !done) return done;
  end_ += data.size();
  while (!waiting_.empty() && waiting_.begin()->first <= end_) {
    const auto next = waiting_.extract(waiting_.begin());
    waiting_bytes_ -= next.mapped().size();
    if (next.key() < end_) {
      return core::Error(Status::kUnsupported, "the storage does not let written data be changed");
    }
    if (auto done = write(next.mapped(), next.key()); !done) return done;
    end_ += next.mapped().size();
  }
  return core::ok();
}

}  // namespace host::vfs
