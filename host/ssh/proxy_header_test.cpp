// SPDX-License-Identifier: Apache-2.0
//
// Headers of every form, whole and byte by byte, with SSH bytes behind them that must stay.
#include "host/ssh/proxy_header.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "host/core/limits.h"

namespace host::ssh {
namespace {

using State = ProxyHeader::State;

constexpr std::string_view kBehind = "SSH-2.0-client\r\n";

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string binary(std::uint8_t command, std::uint8_t family, const std::string& block, std::size_t length) {
  std::string text("\r\n\r\n\0\r\nQUIT\n", 12);
  for (const auto byte : {std::size_t{command}, std::size_t{family}, length >> 8, length & 255})
    text += static_cast<char>(byte);
  return text + block;
}
std::string binary(std::uint8_t command, std::uint8_t family, const std::string& block) {
  return binary(command, family, block, block.size());
}

const std::string kFour("\xc0\x00\x02\x01\xcb\x00\x71\x07\xdd\xd5\x00\x16", 12);  // 192.0.2.1:56789 -> 203.0.113.7:22
const std::string kSix = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01" + std::string(16, '\x11') +
                         std::string("\xdd\xd5\x00\x16", 4);
const std::string kMapped = std::string(10, '\0') + "\xff\xff\xc0" + std::string("\0\2\1", 3) +
                            std::string(16, '\x11') + std::string("\0\1\0\2", 4);
// CRC32C and a unique id, as HAProxy sends them.
const std::string kTlvs = std::string(
    "\x03\x00\x04"
    "abcd\x05\x00\x02id",
    12);

// All at once and byte by byte; both must take the header and nothing else.
ProxyHeader read(const std::string& header) {
  const auto stream = header + std::string(kBehind);
  ProxyHeader whole, pieces;
  EXPECT_EQ(whole.take(bytes_of(stream)), header.size());
  std::size_t taken = 0;
  while (pieces.state() == State::kIncomplete && taken < stream.size())
    taken += pieces.take(bytes_of(stream).subspan(taken, 1));
  EXPECT_EQ(taken, header.size());
  EXPECT_EQ(pieces.state(), whole.state());
  EXPECT_EQ(pieces.client(), whole.client());
  return whole;
}

struct Good {
  const char* name;
  std::string header;
  std::string client;  // empty: that of the connection
};

class GoodHeader : public testing::TestWithParam<Good> {};

TEST_P(GoodHeader, NamesItsClient) {
  const auto header = read(GetParam().header);
  ASSERT_EQ(header.state(), State::kComplete) << header.problem();
  std::ostringstream client;
  if (header.client()) client << *header.client();
  EXPECT_EQ(client.str(), GetParam().client);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, GoodHeader,
    testing::Values(Good{"tcp4", "PROXY TCP4 192.0.2.1 203.0.113.7 56789 22\r\n", "192.0.2.1:56789"},
                    Good{"tcp6", "PROXY TCP6 2001:db8::1 2001:db8::2 56789 22\r\n", "[2001:db8::1]:56789"},
                    Good{"tcp6_mapped", "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 0 65535\r\n", "192.0.2.1:0"},
                    Good{"tcp6_longest",
                         "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
                         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
                    Good{"unknown", "PROXY UNKNOWN\r\n", ""},
                    Good{"unknown_long", "PROXY UNKNOWN 192.0.2.1 b c d\r\n", ""},
                    Good{"v2_tcp4", binary(0x21, 0x11, kFour), "192.0.2.1:56789"},
                    Good{"v2_udp4", binary(0x21, 0x12, kFour), "192.0.2.1:56789"},
                    Good{"v2_tcp6", binary(0x21, 0x21, kSix), "[2001:db8::1]:56789"},
                    Good{"v2_tcp6_mapped", binary(0x21, 0x21, kMapped), "192.0.2.1:1"},
                    Good{"v2_tlvs", binary(0x21, 0x11, kFour + kTlvs), "192.0.2.1:56789"},
                    Good{"v2_many_tlvs", binary(0x21, 0x11, kFour + std::string(10000, 'x')), "192.0.2.1:56789"},
                    Good{"v2_local", binary(0x20, 0x00, ""), ""},
                    Good{"v2_local_with_address", binary(0x20, 0x11, kFour), ""},
                    Good{"v2_local_odd_family", binary(0x20, 0x99, "xyz"), ""},
                    Good{"v2_unspecified", binary(0x21, 0x00, kTlvs), ""},
                    Good{"v2_unix", binary(0x21, 0x31, std::string(216, 'p')), ""}),
    [](const auto& test) { return std::string(test.param.name); });

class BadHeader : public testing::TestWithParam<std::pair<const char*, std::string>> {};

TEST_P(BadHeader, IsRefused) {
  ProxyHeader header;
  const auto& text = GetParam().second;
  EXPECT_LE(header.take(bytes_of(text)), text.size());
  EXPECT_EQ(header.state(), State::kMalformed);
  EXPECT_FALSE(header.problem().empty());
  EXPECT_FALSE(header.client());
  EXPECT_EQ(header.take(bytes_of("more")), 0u);
}

using Bad = std::pair<const char*, std::string>;
INSTANTIATE_TEST_SUITE_P(
    Forms, BadHeader,
    testing::Values(
        Bad{"word", "PROXIES"}, Bad{"lower_case", "Proxy "}, Bad{"ssh", "SSH-2.0-x\r\n"},
        Bad{"protocol", "PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n"}, Bad{"nothing", "PROXY \r\n"},
        Bad{"unknown_glued", "PROXY UNKNOWNS\r\n"}, Bad{"only_lf", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"},
        Bad{"fields", "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"},
        Bad{"more_fields", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"},
        Bad{"two_spaces", "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"},
        Bad{"family", "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"},
        Bad{"family_6", "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"},
        Bad{"name", "PROXY TCP4 localhost 192.0.2.2 1 2\r\n"}, Bad{"octet", "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n"},
        Bad{"padded_octet", "PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n"}, Bad{"target", "PROXY TCP4 192.0.2.1 x 1 2\r\n"},
        Bad{"scope", "PROXY TCP6 fe80::1%lo fe80::2 1 2\r\n"},
        Bad{"port", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n"},
        Bad{"negative_port", "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n"},
        Bad{"padded_port", "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"},
        Bad{"no_port", "PROXY TCP4 192.0.2.1 192.0.2.2  2\r\n"},
        Bad{"nul", std::string("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n", 37)},
        Bad{"no_end", "PROXY UNKNOWN " + std::string(200, 'x')}, Bad{"v2_signature", std::string("\r\n\r\n\1", 5)},
        Bad{"v2_version", binary(0x11, 0x11, kFour)}, Bad{"v2_command", binary(0x22, 0x11, kFour)},
        Bad{"v2_family", binary(0x21, 0x41, kFour)}, Bad{"v2_transport", binary(0x21, 0x13, kFour)},
        Bad{"v2_short_4", binary(0x21, 0x11, kFour, 11)}, Bad{"v2_short_6", binary(0x21, 0x21, kSix, 35)},
        Bad{"v2_short_unix", binary(0x21, 0x31, "", 215)}, Bad{"v2_long", binary(0x21, 0x11, kFour, 65535)}),
    [](const auto& test) { return std::string(test.param.first); });

TEST(ProxyHeader, LengthIsBounded) {
  constexpr auto kMost = core::limits::kMaxProxyHeaderBytes - 16;
  ProxyHeader most, more;
  most.take(bytes_of(binary(0x21, 0x11, kFour, kMost)));
  more.take(bytes_of(binary(0x21, 0x11, kFour, kMost + 1)));
  EXPECT_EQ(most.state(), State::kIncomplete);
  EXPECT_EQ(more.state(), State::kMalformed);
}

TEST(ProxyHeader, OnlyTwoBytesBeginOne) {
  EXPECT_TRUE(ProxyHeader::begins_with('P'));
  EXPECT_TRUE(ProxyHeader::begins_with('\r'));
  for (const char other : {'S', 's', '\n', '\0', 'G'})
    EXPECT_FALSE(ProxyHeader::begins_with(static_cast<std::uint8_t>(other)));
}

}  // namespace
}  // namespace host::ssh
