// SPDX-License-Identifier: Apache-2.0
//
// The header that a proxy sends ahead of a connection, to name its client: HAProxy's PROXY protocol, version 1 (text)
// and 2 (binary). Reads hostile bytes, in any pieces, and never one beyond the header. Knows no sockets; any thread.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace host::ssh {

class ProxyHeader {
 public:
  using Endpoint = boost::asio::ip::tcp::endpoint;
  enum class State { kIncomplete, kComplete, kMalformed };

  // Whether a connection that begins with this byte begins with a header: no SSH client starts with either (RFC 4253
  // section 4.2).
  static bool begins_with(std::uint8_t first);

  // Takes from the front what belongs to the header; returns how many bytes. Less than all: not kIncomplete any more.
  std::size_t take(std::span<const std::uint8_t> bytes);

  State state() const { return state_; }
  const std::string& problem() const { return problem_; }  // of kMalformed
  // Of kComplete: nothing when the header tells of no other client than the one that is connected (LOCAL, UNKNOWN).
  const std::optional<Endpoint>& client() const { return client_; }

 private:
  static constexpr std::size_t kMaxLineBytes = 107;  // version 1 with its CRLF
  static constexpr std::size_t kFixedBytes = 16;     // version 2 before its addresses

  void advance();
  void advance_line();
  void advance_binary();
  void read_line(std::string_view line);
  void read_fixed_part();
  void read_addresses();
  void malformed(std::string why);
  std::string_view kept() const { return {reinterpret_cast<const char*>(kept_.data()), size_}; }

  State state_ = State::kIncomplete;
  std::array<std::uint8_t, kMaxLineBytes> kept_{};
  std::size_t size_ = 0;  // of kept_
  std::size_t address_bytes_ = 0, skip_ = 0;
  std::optional<Endpoint> client_;
  std::string problem_;
};

}  // namespace host::ssh
