// SPDX-License-Identifier: Apache-2.0
//
// A map that holds only keys with somebody there, so it is as small as the total allows.
#include "host/ssh/places.h"

namespace host::ssh {

std::string key_of(const boost::asio::ip::address& address) {
  constexpr std::size_t kNetworkBytes = 8;
  const auto text = [](const auto& bytes, std::size_t count) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), count);
  };
  if (address.is_v4()) return text(address.to_v4().to_bytes(), 4);
  return text(address.to_v6().to_bytes(), kNetworkBytes);
}

void Places::Place::give_back() {
  if (auto* const from = from_.exchange(nullptr)) from->leave(key_);
}

std::optional<Places::Place> Places::enter(std::string key, std::size_t max_of_key) {
  const std::lock_guard lock(mutex_);
  if (total_ >= max_total_ || max_of_key == 0) return std::nullopt;
  auto& taken = taken_[key];
  if (taken >= max_of_key) return std::nullopt;
  ++taken;
  ++total_;
  return Place(this, std::move(key));
}

void Places::leave(const std::string& key) {
  const std::lock_guard lock(mutex_);
  --total_;
  const auto entry = taken_.find(key);
  if (--entry->second == 0) taken_.erase(entry);
}

}  // namespace host::ssh
