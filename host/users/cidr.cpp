// SPDX-License-Identifier: Apache-2.0
//
// Parsing and matching of address blocks. Pure functions, any thread.
#include "host/users/cidr.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace host::users {

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.empty() || text.size() > 64 || text.find('\0') != std::string_view::npos) return std::nullopt;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(text, error);
  if (error) return std::nullopt;
  IpAddress out;
  const auto keep_v4 = [&](const boost::asio::ip::address_v4& v4) {
    const auto bytes = v4.to_bytes();
    std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
  };
  if (address.is_v4()) {
    keep_v4(address.to_v4());
  } else if (address.to_v6().is_v4_mapped()) {
    keep_v4(boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()));
  } else {
    out.v6 = true;
    out.bytes = address.to_v6().to_bytes();
  }
  return out;
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto base = parse_ip(text.substr(0, slash));
  const auto length = text.substr(slash + 1);
  Cidr out;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), out.prefix);
  if (!base || error != std::errc() || end != length.data() + length.size() || length.size() > 3) return std::nullopt;
  out.base = *base;
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8
  if (!base->v6 && text.substr(0, slash).find(':') != std::string_view::npos) {
    if (out.prefix < 96) return std::nullopt;
    out.prefix -= 96;
  }
  if (out.prefix > (out.base.v6 ? 128U : 32U)) return std::nullopt;
  return out;
}

std::optional<Cidr> parse_network(std::string_view text) {
  if (text.find('/') != std::string_view::npos) return parse_cidr(text);
  const auto address = parse_ip(text);
  if (!address) return std::nullopt;
  return Cidr{*address, address->v6 ? 128U : 32U};
}

bool any_contains(std::span<const Cidr> networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(), [&](const Cidr& network) { return network.contains(address); });
}

bool Cidr::contains(const IpAddress& address) const {
  if (address.v6 != base.v6) return false;
  const std::size_t whole = prefix / 8;
  if (!std::equal(base.bytes.begin(), base.bytes.begin() + static_cast<std::ptrdiff_t>(whole), address.bytes.begin()))
    return false;
  if (prefix % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - prefix % 8));
  return ((base.bytes[whole] ^ address.bytes[whole]) & mask) == 0;
}

}  // namespace host::users
