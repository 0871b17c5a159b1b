// SPDX-License-Identifier: Apache-2.0
//
// Counted by client, which for IPv6 is a network: whoever has one has all of its addresses.
#include "places.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace auth_external {
namespace {

constexpr std::size_t kNetworkBytes = 8;

std::size_t part_of(std::size_t most) { return std::max<std::size_t>(1, most / 4); }

std::string client_of(std::string_view address) {
  const std::string text(address);
  in6_addr parsed{};
  if (::inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return text;
  return {reinterpret_cast<const char*>(parsed.s6_addr), kNetworkBytes};
}

}  // namespace

struct Places::Taken {
  std::mutex mutex;
  // Under mutex.
  std::size_t all = 0, strangers = 0;
  std::map<std::string, std::size_t> clients;
};

struct Places::Held {
  const std::shared_ptr<Taken> taken;
  const std::string client;
  const std::size_t stranger;

  Held(std::shared_ptr<Taken> from, std::string by, std::size_t strangers)
      : taken(std::move(from)), client(std::move(by)), stranger(strangers) {}
  ~Held() {
    const std::lock_guard lock(taken->mutex);
    --taken->all;
    taken->strangers -= stranger;
    if (--taken->clients[client] == 0) taken->clients.erase(client);
  }
};

Places::Places(std::size_t most, std::size_t most_of_one)
    : most_(most),
      most_of_one_(most_of_one != 0 ? most_of_one : part_of(most)),
      most_of_strangers_(part_of(most)),
      taken_(std::make_shared<Taken>()) {}

Places::Place Places::take(bool known, std::string_view address) {
  const auto client = client_of(address);
  const std::size_t stranger = known ? 0 : 1;
  {
    const std::lock_guard lock(taken_->mutex);
    auto& of_client = taken_->clients[client];
    if (taken_->all >= most_ || of_client >= most_of_one_ || taken_->strangers + stranger > most_of_strangers_) {
      if (of_client == 0) taken_->clients.erase(client);
      return {};
    }
    ++taken_->all;
    ++of_client;
    taken_->strangers += stranger;
  }
  return std::make_shared<Held>(taken_, client, stranger);
}

}  // namespace auth_external
