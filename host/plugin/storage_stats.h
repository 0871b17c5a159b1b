// SPDX-License-Identifier: Apache-2.0
//
// What one storage was asked and how long it took, for monitoring. Any thread; counting waits for nobody.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "host/core/histogram.h"

namespace host::plugin {

// Calls of a storage, by what they are for. In the order of their names in storage_stats.cpp.
enum class Call : std::uint8_t {
  kMount,
  kStat,
  kSetAttrs,
  kOpen,
  kOpenDir,
  kList,
  kMkdir,
  kRemove,
  kRename,
  kLink,
  kStatvfs,
  kRead,
  kWrite,
  kSync,
  kCopy,
  kClose,
  kCount
};
std::string_view call_name(Call call);

class StorageStats {
 public:
  static constexpr std::size_t kCalls = static_cast<std::size_t>(Call::kCount);

  // Runs one call of the plugin, which gives an sp_status.
  template <class F>
  std::int32_t timed(Call call, F&& plugin_call) {
    const auto begun = std::chrono::steady_clock::now();
    const std::int32_t status = plugin_call();
    note(call, status, std::chrono::steady_clock::now() - begun);
    return status;
  }
  core::Histogram::Reading times(Call call) const { return calls_[static_cast<std::size_t>(call)].times.read(); }
  // Those that say something about the storage, not about what was asked of it.
  std::uint64_t failures(Call call) const {
    return calls_[static_cast<std::size_t>(call)].failures.load(std::memory_order_relaxed);
  }

  // Transfers that have come to their end, by the protocol of the client.
  static constexpr std::array<std::string_view, 3> kProtocols = {"SFTP", "SCP", "SSH"};
  struct Moved {
    std::uint64_t good = 0, failed = 0, bytes = 0;
  };
  void note_transfer(std::string_view protocol, bool upload, bool good, std::uint64_t bytes);
  Moved moved(std::size_t protocol, bool upload) const;

 private:
  void note(Call call, std::int32_t status, std::chrono::nanoseconds time);

  struct OfCall {
    core::Histogram times;
    std::atomic<std::uint64_t> failures = 0;
  };
  struct alignas(64) OfTransfers {
    std::atomic<std::uint64_t> good = 0, failed = 0, bytes = 0;
  };
  std::array<OfCall, kCalls> calls_;
  std::array<std::array<OfTransfers, 2>, kProtocols.size()> transfers_;  // downloads, uploads
};

}  // namespace host::plugin
