// SPDX-License-Identifier: Apache-2.0
//
// A map that only grows, up to a limit; counting takes its lock shared, for as long as finding an entry takes.
#include "host/core/request_times.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace host::core::request_times {
namespace {

constexpr std::size_t kMaxRequestKinds = 256;
constexpr std::ptrdiff_t kMaxKindsPerPlugin = 32;
constexpr std::size_t kMaxNameBytes = 64;

struct Kind {
  Histogram times;
  std::atomic<std::uint64_t> failures = 0;
};
using Name = std::pair<std::string, std::string>;

std::shared_mutex mutex;
std::map<Name, std::unique_ptr<Kind>> kinds;  // under mutex; what is in it stays

Kind* find_or_add(const Name& name) {
  {
    const std::shared_lock lock(mutex);
    const auto found = kinds.find(name);
    if (found != kinds.end()) return found->second.get();
  }
  const std::lock_guard lock(mutex);
  const auto same = [&](const auto& kind) { return kind.first.first == name.first; };
  if (!kinds.contains(name) &&
      (kinds.size() >= kMaxRequestKinds || std::ranges::count_if(kinds, same) >= kMaxKindsPerPlugin)) {
    return nullptr;
  }
  auto& kind = kinds[name];
  if (!kind) kind = std::make_unique<Kind>();
  return kind.get();
}

}  // namespace

void note(std::string_view plugin, std::string_view request, bool good, std::chrono::nanoseconds time) {
  Kind* const kind =
      find_or_add({std::string(plugin.substr(0, kMaxNameBytes)), std::string(request.substr(0, kMaxNameBytes))});
  if (kind == nullptr) return;
  kind->times.add(time);
  if (!good) kind->failures.fetch_add(1, std::memory_order_relaxed);
}

std::vector<Reading> read() {
  std::vector<Reading> all;
  const std::shared_lock lock(mutex);
  for (const auto& [name, kind] : kinds) {
    all.push_back({name.first, name.second, kind->times.read(), kind->failures.load(std::memory_order_relaxed)});
  }
  return all;
}

}  // namespace host::core::request_times
