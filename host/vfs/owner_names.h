// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "host/core/limits.h"

namespace host::vfs {

// Names of numeric owners seen in this session, so that a long listing asks once per owner. Bounded.
class OwnerNames {
 public:
  template <class Ask>
  std::string get(std::uint32_t id, Ask&& ask) {
    const std::lock_guard lock(mutex_);
    if (const auto known = names_.find(id); known != names_.end()) return known->second;
    auto answer = std::forward<Ask>(ask)();
    std::string name = answer ? *std::move(answer) : std::to_string(id);
    if (names_.size() < core::limits::kMaxOwnerNames) names_.emplace(id, name);
    return name;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint32_t, std::string> names_;
};

}  // namespace host::vfs
