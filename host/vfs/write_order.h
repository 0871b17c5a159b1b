// SPDX-License-Identifier: Apache-2.0
//
// For storages that take a file's data from the beginning to the end only (no kRandomWrite): writes that come too early
// wait in memory until what is before them has come. Clients that send several at once may let them overtake each
// other. On one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "host/core/limits.h"
#include "host/core/result.h"
#include "host/vfs/waiting_bytes.h"

namespace host::vfs {

class WriteOrder {
 public:
  // `room` outlives this.
  explicit WriteOrder(WaitingBytes& room) : room_(room) {}
  ~WriteOrder();
  WriteOrder(const WriteOrder&) = delete;
  WriteOrder& operator=(const WriteOrder&) = delete;

  using Write = std::function<core::Result<void>(std::span<const std::byte> data, std::uint64_t offset)>;

  // kUnsupported: what is written already would change, or this is too far ahead. kBusy: too much waits elsewhere.
  core::Result<void> put(std::span<const std::byte> data, std::uint64_t offset, const Write& write);
  // Data that gets there without passing through here: what is in the file at first, what the storage copies.
  void skip(std::uint64_t bytes) { end_ += bytes; }
  void start_over() { end_ = 0; }             // what was in the file at first is not any more; nothing waits
  std::uint64_t end() const { return end_; }  // of what is written
  bool has_gap() const { return !waiting_.empty(); }

 private:
  static std::size_t cost(std::size_t bytes) { return bytes + core::limits::kEarlyWriteBytes; }

  WaitingBytes& room_;
  std::uint64_t end_ = 0;
  std::size_t waiting_bytes_ = 0;                            // with what keeping them costs; taken of room_
  std::map<std::uint64_t, std::vector<std::byte>> waiting_;  // by offset
};

}  // namespace host::vfs
