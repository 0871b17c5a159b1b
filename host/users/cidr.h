// SPDX-License-Identifier: Apache-2.0
//
// Address filters of accounts: CIDR blocks (RFC 4632, RFC 4291), IPv4 and IPv6.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace host::users {

// An IPv4 address, also one mapped into IPv6, is kept as IPv4.
struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // the first four for IPv4
};
std::optional<IpAddress> parse_ip(std::string_view text);

struct Cidr {
  IpAddress base;
  unsigned prefix = 0;

  bool contains(const IpAddress& address) const;
};
// ADDRESS/LENGTH; host bits may be set. A plain address is refused.
std::optional<Cidr> parse_cidr(std::string_view text);
// As above, or a plain address, which is a block of one.
std::optional<Cidr> parse_network(std::string_view text);
bool any_contains(std::span<const Cidr> networks, const IpAddress& address);

}  // namespace host::users
