// SPDX-License-Identifier: Apache-2.0
//
// The two forms as the specification has them (proxy-protocol.txt of HAProxy, sections 2.1 and 2.2). Only what is
// needed is kept: a line of version 1, the fixed part and the addresses of version 2; its TLVs are counted, not stored.
#include "host/ssh/proxy_header.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "host/core/limits.h"

namespace host::ssh {
namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

constexpr std::string_view kLineStart = "PROXY ";
constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kCommandAt = 12, kFamilyAt = 13, kLengthAt = 14;

// Bytes of the address block by family and transport; other values are reserved and to be refused.
struct Family {
  std::size_t block_bytes;
  std::uint8_t value;
  bool is_ip;
};
constexpr Family kFamilies[] = {{0, 0x00, false}, {12, 0x11, true},   {12, 0x12, true},  {36, 0x21, true},
                                {36, 0x22, true}, {216, 0x31, false}, {216, 0x32, false}};

// An IPv4 address that comes as IPv6 is one, for filters and logs.
boost::asio::ip::address plain(const address_v6& address) {
  if (!address.is_v4_mapped()) return address;
  return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address);
}

std::optional<boost::asio::ip::address> parse_address(bool v6, const std::string& text) {
  if (text.find('\0') != std::string::npos) return std::nullopt;  // where inet_pton would stop
  if (v6) {
    address_v6::bytes_type bytes;
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::nullopt;
    return plain(address_v6(bytes));
  }
  address_v4::bytes_type bytes;
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) != 1) return std::nullopt;
  return address_v4(bytes);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool padded = text.size() > 1 && text.front() == '0';
  if (error != std::errc() || end != text.data() + text.size() || padded) return std::nullopt;
  return port;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (;;) {
    const auto space = text.find(' ');
    words.push_back(text.substr(0, space));
    if (space == std::string_view::npos) return words;
    text.remove_prefix(space + 1);
  }
}

}  // namespace

bool ProxyHeader::begins_with(std::uint8_t first) { return first == kLineStart[0] || first == kSignature[0]; }

std::size_t ProxyHeader::take(std::span<const std::uint8_t> bytes) {
  std::size_t taken = 0;
  while (state_ == State::kIncomplete && taken < bytes.size()) {
    if (skip_ > 0) {
      const auto count = std::min(skip_, bytes.size() - taken);
      taken += count;
      skip_ -= count;
      if (skip_ == 0) state_ = State::kComplete;
    } else {
      kept_[size_++] = bytes[taken++];
      advance();
    }
  }
  return taken;
}

void ProxyHeader::advance() {
  if (kept_[0] == kSignature[0]) {
    advance_binary();
  } else {
    advance_line();
  }
}

void ProxyHeader::advance_line() {
  const auto line = kept();
  if (size_ <= kLineStart.size()) {
    if (!kLineStart.starts_with(line)) malformed("it does not begin like one");
  } else if (line.back() == '\n') {
    if (line[size_ - 2] != '\r') return malformed("the line does not end with CR and LF");
    read_line(line.substr(kLineStart.size(), size_ - kLineStart.size() - 2));
  } else if (size_ == kMaxLineBytes) {
    malformed("the line is too long");
  }
}

void ProxyHeader::read_line(std::string_view line) {
  const auto words = words_of(line);
  if (words[0] == "UNKNOWN") {  // what follows is to be ignored
    state_ = State::kComplete;
    return;
  }
  const bool v6 = words[0] == "TCP6";
  if (!v6 && words[0] != "TCP4") return malformed("unknown protocol");
  if (words.size() != 5) return malformed("there are not two addresses and two ports");
  const auto source = parse_address(v6, std::string(words[1]));
  const auto port = parse_port(words[3]);
  if (!source || !parse_address(v6, std::string(words[2]))) return malformed("malformed address");
  if (!port || !parse_port(words[4])) return malformed("malformed port");
  client_ = Endpoint(*source, *port);
  state_ = State::kComplete;
}

void ProxyHeader::advance_binary() {
  if (size_ <= kSignature.size()) {
    if (!kSignature.starts_with(kept())) malformed("it does not begin like one");
    return;
  }
  if (size_ == kFixedBytes) read_fixed_part();
  if (state_ == State::kIncomplete && address_bytes_ > 0 && size_ == kFixedBytes + address_bytes_) read_addresses();
}

void ProxyHeader::read_fixed_part() {
  const auto version = kept_[kCommandAt] >> 4, command = kept_[kCommandAt] & 15;
  const std::size_t length = static_cast<std::size_t>(kept_[kLengthAt] << 8) | kept_[kLengthAt + 1];
  if (version != 2) return malformed("unknown version");
  if (command > 1) return malformed("unknown command");
  if (kFixedBytes + length > core::limits::kMaxProxyHeaderBytes) return malformed("it is too long");
  skip_ = length;
  if (command == 1) {
    const auto* family = std::find_if(std::begin(kFamilies), std::end(kFamilies),
                                      [&](const Family& row) { return row.value == kept_[kFamilyAt]; });
    if (family == std::end(kFamilies)) return malformed("unknown address family");
    if (length < family->block_bytes) return malformed("the addresses are cut off");
    if (family->is_ip) {
      address_bytes_ = family->block_bytes;
      skip_ = 0;  // counted once the addresses are in
      return;
    }
  }
  if (skip_ == 0) state_ = State::kComplete;
}

void ProxyHeader::read_addresses() {
  const std::size_t length = static_cast<std::size_t>(kept_[kLengthAt] << 8) | kept_[kLengthAt + 1];
  const auto* source = kept_.data() + kFixedBytes;
  const bool v6 = kept_[kFamilyAt] >> 4 == 2;
  const std::size_t address = v6 ? 16 : 4;
  const auto* port = source + 2 * address;
  const auto number = static_cast<std::uint16_t>(port[0] << 8 | port[1]);
  if (v6) {
    address_v6::bytes_type bytes;
    std::copy_n(source, bytes.size(), bytes.begin());
    client_ = Endpoint(plain(address_v6(bytes)), number);
  } else {
    address_v4::bytes_type bytes;
    std::copy_n(source, bytes.size(), bytes.begin());
    client_ = Endpoint(address_v4(bytes), number);
  }
  skip_ = length - address_bytes_;
  if (skip_ == 0) state_ = State::kComplete;
}

void ProxyHeader::malformed(std::string why) {
  state_ = State::kMalformed;
  problem_ = std::move(why);
}

}  // namespace host::ssh
