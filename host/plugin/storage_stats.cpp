// SPDX-License-Identifier: Apache-2.0
//
// Which answers of a storage count as its failures. Any thread; knows neither paths nor users.
#include "host/plugin/storage_stats.h"

#include <sallyport/base.h>

#include <algorithm>

namespace host::plugin {
namespace {

constexpr std::array<std::string_view, StorageStats::kCalls> kNames = {
    "mount",  "stat", "set_attrs", "open", "open_dir", "list", "mkdir", "remove",
    "rename", "link", "statvfs",   "read", "write",    "sync", "copy",  "close"};

// A file that is not there is an answer; a storage that is out of order gives none.
bool is_failure(std::int32_t status) {
  switch (status) {
    case SP_E_NO_SPACE:
    case SP_E_BUSY:
    case SP_E_TIMED_OUT:
    case SP_E_IO:
    case SP_E_INTERNAL: return true;
    default: return false;
  }
}

}  // namespace

std::string_view call_name(Call call) { return kNames[static_cast<std::size_t>(call)]; }

void StorageStats::note(Call call, std::int32_t status, std::chrono::nanoseconds time) {
  if (status == SP_E_WOULD_BLOCK) return;  // asked again in a moment
  auto& counts = calls_[static_cast<std::size_t>(call)];
  counts.times.add(time);
  if (is_failure(status)) counts.failures.fetch_add(1, std::memory_order_relaxed);
}

void StorageStats::note_transfer(std::string_view protocol, bool upload, bool good, std::uint64_t bytes) {
  const auto known = std::ranges::find(kProtocols, protocol);
  if (known == kProtocols.end()) return;
  auto& counts = transfers_[static_cast<std::size_t>(known - kProtocols.begin())][upload ? 1 : 0];
  (good ? counts.good : counts.failed).fetch_add(1, std::memory_order_relaxed);
  counts.bytes.fetch_add(bytes, std::memory_order_relaxed);
}

StorageStats::Moved StorageStats::moved(std::size_t protocol, bool upload) const {
  const auto& counts = transfers_[protocol][upload ? 1 : 0];
  return {counts.good.load(std::memory_order_relaxed), counts.failed.load(std::memory_order_relaxed),
          counts.bytes.load(std::memory_order_relaxed)};
}

}  // namespace host::plugin
