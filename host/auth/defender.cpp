// SPDX-License-Identifier: Apache-2.0
//
// Two tables, of counts and of bans, under one lock. A key is the network, for a name followed by the name, so that one
// table serves addresses and names alike. A count begins anew once its first failure is older than the window.
#include "host/auth/defender.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <mutex>

#include "host/auth/recent_table.h"
#include "host/core/limits.h"
#include "host/core/log.h"

namespace host::auth {
namespace {

namespace limits = core::limits;
using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr char kSeparator = ' ';  // in no network's text
constexpr std::string_view kNetwork64 = "/64";

std::string key_of(const std::string& network, std::string_view username) {
  return network + kSeparator + std::string(username.substr(0, limits::kMaxDefenderNameBytes));
}

}  // namespace

std::string network_of(const users::IpAddress& address) {
  constexpr std::size_t kNetworkBytes = 8;
  if (!address.v6) {
    boost::asio::ip::address_v4::bytes_type bytes;
    std::copy_n(address.bytes.begin(), bytes.size(), bytes.begin());
    return boost::asio::ip::address_v4(bytes).to_string();
  }
  boost::asio::ip::address_v6::bytes_type bytes{};
  std::copy_n(address.bytes.begin(), kNetworkBytes, bytes.begin());
  return boost::asio::ip::address_v6(bytes).to_string() + std::string(kNetwork64);
}

struct Defender::Impl {
  struct Count {
    int failures = 0;
    Clock::time_point since{};
  };

  Impl(DefenderOptions options_in, std::function<Clock::time_point()> now_in)
      : options(std::move(options_in)), now(std::move(now_in)) {}

  // Nothing: the defender does not concern itself with this client.
  std::optional<std::string> network(const std::optional<users::IpAddress>& address) const {
    if (!options.enabled || !address || users::any_contains(options.allowed, *address)) return std::nullopt;
    return network_of(*address);
  }
  std::optional<seconds> banned_for(const std::string& key) {
    const auto* until = bans.find(key);
    if (until == nullptr) return std::nullopt;
    if (const auto left = *until - now(); left.count() > 0) return std::chrono::ceil<seconds>(left);
    bans.erase(key);
    return std::nullopt;
  }
  // True: that was one too many.
  bool add_failure(const std::string& key, int most) {
    auto& count = counts.touch(key);
    if (count.failures == 0 || now() - count.since >= options.window) count = {0, now()};
    if (++count.failures < most) return false;
    counts.erase(key);
    bans.touch(key) = now() + options.ban_time;
    return true;
  }

  std::mutex mutex;
  DefenderOptions options;
  const std::function<Clock::time_point()> now;
  RecentTable<Count> counts{limits::kMaxDefenderCounts};
  RecentTable<Clock::time_point> bans{limits::kMaxDefenderBans};
};

Defender::Defender(DefenderOptions options, std::function<Clock::time_point()> now)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(now))) {}
Defender::~Defender() = default;

void Defender::set_options(DefenderOptions options) {
  const std::lock_guard lock(impl_->mutex);
  impl_->options = std::move(options);
  if (impl_->options.enabled) return;
  impl_->counts.clear();
  impl_->bans.clear();
}

std::optional<Defender::Refusal> Defender::refuses(std::string_view ip) {
  const auto address = users::parse_ip(ip);
  const std::lock_guard lock(impl_->mutex);
  const auto network = impl_->network(address);
  if (!network) return std::nullopt;
  if (users::any_contains(impl_->options.denied, *address)) {
    return Refusal{"the address is in defender.denied", "no_auth_tryed"};
  }
  const auto left = impl_->banned_for(*network);
  if (!left) return std::nullopt;
  return Refusal{"too many failed logins from " + *network + ": refused for " + std::to_string(left->count()) + " s",
                 "password"};
}

std::optional<std::string> Defender::refuses(std::string_view ip, std::string_view username) {
  const std::lock_guard lock(impl_->mutex);
  const auto network = impl_->network(users::parse_ip(ip));
  if (!network) return std::nullopt;
  auto left = impl_->banned_for(*network);  // connected before the ban
  if (!left) left = impl_->banned_for(key_of(*network, username));
  if (!left) return std::nullopt;
  return "too many failed logins from " + *network + ": refused for " + std::to_string(left->count()) + " s";
}

void Defender::note_failure(std::string_view ip, std::string_view username) {
  std::string said;
  {
    const std::lock_guard lock(impl_->mutex);
    const auto network = impl_->network(users::parse_ip(ip));
    if (!network) return;
    const auto& options = impl_->options;
    if (!username.empty() && impl_->add_failure(key_of(*network, username), options.max_failures_per_user)) {
      said = "user \"" + std::string(username.substr(0, limits::kMaxDefenderNameBytes)) + "\" at " + *network;
    }
    if (impl_->add_failure(*network, options.max_failures)) said = *network;
    if (!said.empty()) said += " is refused for " + std::to_string(options.ban_time.count()) + " s";
  }
  if (!said.empty()) core::log::warn("defender", "", "too many failed logins: " + said);
}

void Defender::note_success(std::string_view ip, std::string_view username) {
  const std::lock_guard lock(impl_->mutex);
  const auto network = impl_->network(users::parse_ip(ip));
  if (!network) return;
  const auto key = key_of(*network, username);
  const auto* own = impl_->counts.find(key);
  if (own == nullptr) return;
  // Of the address's failures only this name's own: whoever has one account must not clear his attempts at others'.
  auto* all = impl_->counts.find(*network);
  if (all != nullptr && all->since <= own->since) all->failures = std::max(0, all->failures - own->failures);
  impl_->counts.erase(key);
}

std::vector<Defender::Ban> Defender::bans() {
  const std::lock_guard lock(impl_->mutex);
  const auto now = impl_->now();
  std::vector<Ban> found;
  for (const auto& [key, until] : impl_->bans.entries()) {
    if (until <= now) continue;
    const auto name = key.find(kSeparator);
    found.push_back({key.substr(0, name), name == std::string::npos ? "" : key.substr(name + 1),
                     std::chrono::ceil<seconds>(until - now)});
  }
  return found;
}

bool Defender::lift(std::string_view network, std::string_view username) {
  const auto address =
      users::parse_ip(network.ends_with(kNetwork64) ? network.substr(0, network.size() - kNetwork64.size()) : network);
  if (!address) return false;
  const auto name = network_of(*address);
  const std::lock_guard lock(impl_->mutex);
  const auto concerned = [&](const auto& entry) {
    if (!username.empty()) return entry.key == key_of(name, username);
    return entry.key == name || entry.key.starts_with(name + kSeparator);
  };
  impl_->counts.erase_if(concerned);
  const auto now = impl_->now();
  impl_->bans.erase_if([&](const auto& entry) { return entry.value <= now; });
  return impl_->bans.erase_if(concerned) > 0;
}

}  // namespace host::auth
