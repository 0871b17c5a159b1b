// SPDX-License-Identifier: Apache-2.0
//
// Names of users and groups of this machine, remembered for a while. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace fs_local {

class OwnerNames {
 public:
  // Nothing when the number has no name. May ask a directory service, so it may block.
  std::optional<std::string> user(std::uint32_t uid);
  std::optional<std::string> group(std::uint32_t gid);

 private:
  struct Known {
    std::optional<std::string> name;
    std::chrono::steady_clock::time_point since;
  };
  using Table = std::unordered_map<std::uint32_t, Known>;
  using LookUp = std::optional<std::string> (*)(std::uint32_t);
  std::optional<std::string> find(Table& table, std::uint32_t id, LookUp look_up);

  std::mutex mutex_;
  Table users_, groups_;
};

}  // namespace fs_local
