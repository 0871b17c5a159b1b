// SPDX-License-Identifier: Apache-2.0
//
// In order, which is nearly always, nothing is copied or allocated. Runs where the writes run; knows no storage.
#include "host/vfs/write_order.h"

namespace host::vfs {

using core::Status;

WriteOrder::~WriteOrder() { room_.give_back(waiting_bytes_); }

core::Result<void> WriteOrder::put(std::span<const std::byte> data, std::uint64_t offset, const Write& write) {
  if (data.empty()) return core::ok();
  if (offset < end_) {
    return core::Error(Status::kUnsupported, "the storage does not let written data be changed");
  }
  if (offset > end_) {
    if (cost(data.size()) > core::limits::kMaxFileEarlyBytes - waiting_bytes_ || waiting_.contains(offset)) {
      return core::Error(Status::kUnsupported, "the storage takes data in order, and this is too far ahead");
    }
    if (!room_.take(cost(data.size()))) {
      return core::Error(Status::kBusy,
                         "the storage takes data in order, and too many early writes of this session or of all wait");
    }
    waiting_bytes_ += cost(data.size());
    waiting_[offset].assign(data.begin(), data.end());
    return core::ok();
  }
  if (auto done = write(data, offset); !done) return done;
  end_ += data.size();
  while (!waiting_.empty() && waiting_.begin()->first <= end_) {
    const auto next = waiting_.extract(waiting_.begin());
    waiting_bytes_ -= cost(next.mapped().size());
    room_.give_back(cost(next.mapped().size()));
    if (next.key() < end_) {
      return core::Error(Status::kUnsupported, "the storage does not let written data be changed");
    }
    if (auto done = write(next.mapped(), next.key()); !done) return done;
    end_ += next.mapped().size();
  }
  return core::ok();
}

}  // namespace host::vfs
