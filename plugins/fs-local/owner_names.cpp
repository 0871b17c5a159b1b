// SPDX-License-Identifier: Apache-2.0
//
// A small bounded cache over getpwuid_r and getgrgid_r. Worker threads; the lock is not held while asking.
#include "owner_names.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <vector>

namespace fs_local {
namespace {

constexpr std::size_t kMaxKnown = 512;  // per table; a full table starts anew
constexpr std::chrono::seconds kFresh{60};
constexpr std::size_t kFirstBuffer = 4096, kLastBuffer = 1024 * 1024;  // groups with many members need more

// Calls get(id, &entry, buffer, size, &result) with a growing buffer.
template <class Entry, class Get>
std::optional<std::string> ask(std::uint32_t id, Get get, char* Entry::*name) {
  for (std::size_t size = kFirstBuffer; size <= kLastBuffer; size *= 4) {
    std::vector<char> buffer(size);
    Entry entry{};
    Entry* found = nullptr;
    const int error = get(id, &entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE) continue;
    return found != nullptr ? std::optional<std::string>(found->*name) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> OwnerNames::find(Table& table, std::uint32_t id, LookUp look_up) {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    const auto known = table.find(id);
    if (known != table.end() && now - known->second.since < kFresh) return known->second.name;
  }
  std::optional<std::string> name = look_up(id);
  const std::lock_guard lock(mutex_);
  if (table.size() >= kMaxKnown) table.clear();
  table[id] = Known{name, now};
  return name;
}

std::optional<std::string> OwnerNames::user(std::uint32_t uid) {
  return find(users_, uid, [](std::uint32_t id) { return ask<passwd>(id, &::getpwuid_r, &passwd::pw_name); });
}

std::optional<std::string> OwnerNames::group(std::uint32_t gid) {
  return find(groups_, gid, [](std::uint32_t id) { return ask<::group>(id, &::getgrgid_r, &::group::gr_name); });
}

}  // namespace fs_local
