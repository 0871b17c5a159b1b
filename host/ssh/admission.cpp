// SPDX-License-Identifier: Apache-2.0
//
// A map that holds only addresses with somebody waiting, so it is as small as the total allows.
#include "host/ssh/admission.h"

namespace host::ssh {
namespace {

std::string key_of(const boost::asio::ip::address& address) {
  constexpr std::size_t kNetworkBytes = 8;
  const auto text = [](const auto& bytes, std::size_t count) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), count);
  };
  if (address.is_v4()) return text(address.to_v4().to_bytes(), 4);
  return text(address.to_v6().to_bytes(), kNetworkBytes);
}

}  // namespace

Admission::Place::~Place() {
  if (from_ != nullptr) from_->leave(key_);
}

std::optional<Admission::Place> Admission::enter(const boost::asio::ip::address& address) {
  auto key = key_of(address);
  const std::lock_guard lock(mutex_);
  if (total_ >= max_total_) return std::nullopt;
  auto& waiting = per_address_[key];
  if (waiting >= max_per_address_) return std::nullopt;
  ++waiting;
  ++total_;
  return Place(this, std::move(key));
}

void Admission::leave(const std::string& key) {
  const std::lock_guard lock(mutex_);
  --total_;
  const auto entry = per_address_.find(key);
  if (--entry->second == 0) per_address_.erase(entry);
}

}  // namespace host::ssh
