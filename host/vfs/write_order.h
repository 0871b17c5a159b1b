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

#include "host/core/result.h"

namespace host::vfs {

class WriteOrder {
 public:
  static constexpr std::size_t kMaxWaitingBytes = std::size_t{8} * 1024 * 1024;  // what one client has under way
  using Write = std::function<core::Result<void>(std::span<const std::byte> data, std::uint64_t offset)>;

  // kUnsupported: what is written already would change, or this is too far ahead.
  core::Result<void> put(std::span<const std::byte> data, std::uint64_t offset, const Write& write);
  std::uint64_t end() const { return end_; }  // of what is written
  bool has_gap() const { return !waiting_.empty(); }

 private:
  std::uint64_t end_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::map<std::uint64_t, std::vector<std::byte>> waiting_;  // by offset
};

}  // namespace host::vfs
