// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace bench::client {

// filexfer-02 section 3.
enum PacketType : std::uint8_t {
  kInit = 1,
  kVersion = 2,
  kOpen = 3,
  kClose = 4,
  kRead = 5,
  kWrite = 6,
  kOpenDir = 11,
  kReadDir = 12,
  kStatus = 101,
  kHandle = 102,
  kData = 103,
  kName = 104,
  kExtended = 200,
  kExtendedReply = 201
};
enum StatusCode : std::uint32_t { kOk = 0, kEof = 1 };
enum OpenFlag : std::uint32_t { kOpenRead = 1, kOpenWrite = 2, kOpenCreate = 8, kOpenTruncate = 16 };

std::uint32_t load_u32(const std::uint8_t* bytes);
std::uint64_t load_u64(const std::uint8_t* bytes);

// Appends whole length-prefixed SFTP packets to one buffer, so that many go out in one channel write.
class PacketWriter {
 public:
  void begin(PacketType type);
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void string(std::string_view text);
  void string(std::span<const std::uint8_t> bytes);
  void end();

  std::span<std::uint8_t> bytes() { return bytes_; }
  void clear() { bytes_.clear(); }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t start_ = 0;
};

// One reply. `head` is the packet after its length field, cut to ReplyParser::kHeadBytes: bulk payload is counted, not
// kept.
struct Reply {
  std::uint8_t type = 0;
  std::uint32_t id = 0;
  std::size_t length = 0;
  std::span<const std::uint8_t> head;

  std::uint32_t field_u32(std::size_t offset) const;  // offset counted from the type byte; throws when cut off
  std::string_view field_string(std::size_t offset) const;
};

// Cuts the channel's byte stream into replies.
class ReplyParser {
 public:
  static constexpr std::size_t kHeadBytes = 2048;
  static constexpr std::size_t kMaxPacketBytes = 1 << 20;
  void feed(std::span<const std::uint8_t> bytes, const std::function<void(const Reply&)>& on_reply);

 private:
  std::uint8_t length_[4] = {};
  std::size_t length_got_ = 0;
  std::size_t packet_length_ = 0;
  std::size_t packet_left_ = 0;
  std::vector<std::uint8_t> head_;
};

}  // namespace bench::client
