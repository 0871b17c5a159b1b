// SPDX-License-Identifier: Apache-2.0
//
// The few SFTP v3 packets a load generator needs. No I/O, no threads, no libssh.
#include "bench/client/packet.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace bench::client {
namespace {

void store_u32(std::uint8_t* out, std::uint32_t value) {
  out[0] = static_cast<std::uint8_t>(value >> 24);
  out[1] = static_cast<std::uint8_t>(value >> 16);
  out[2] = static_cast<std::uint8_t>(value >> 8);
  out[3] = static_cast<std::uint8_t>(value);
}

}  // namespace

std::uint32_t load_u32(const std::uint8_t* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

std::uint64_t load_u64(const std::uint8_t* bytes) {
  return static_cast<std::uint64_t>(load_u32(bytes)) << 32 | load_u32(bytes + 4);
}

void PacketWriter::begin(PacketType type) {
  start_ = bytes_.size();
  bytes_.resize(start_ + 4);
  bytes_.push_back(type);
}

void PacketWriter::u32(std::uint32_t value) {
  bytes_.resize(bytes_.size() + 4);
  store_u32(&bytes_[bytes_.size() - 4], value);
}

void PacketWriter::u64(std::uint64_t value) {
  u32(static_cast<std::uint32_t>(value >> 32));
  u32(static_cast<std::uint32_t>(value));
}

void PacketWriter::string(std::string_view text) {
  string(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

void PacketWriter::string(std::span<const std::uint8_t> bytes) {
  u32(static_cast<std::uint32_t>(bytes.size()));
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void PacketWriter::end() { store_u32(&bytes_[start_], static_cast<std::uint32_t>(bytes_.size() - start_ - 4)); }

std::uint32_t Reply::field_u32(std::size_t offset) const {
  if (offset + 4 > head.size()) {
    throw std::runtime_error("SFTP reply of type " + std::to_string(type) + " is too short");
  }
  return load_u32(head.data() + offset);
}

std::string_view Reply::field_string(std::size_t offset) const {
  const std::size_t size = field_u32(offset);
  if (offset + 4 + size > head.size()) {
    throw std::runtime_error("SFTP reply of type " + std::to_string(type) + " is too short");
  }
  return {reinterpret_cast<const char*>(head.data()) + offset + 4, size};
}

void ReplyParser::feed(std::span<const std::uint8_t> bytes, const std::function<void(const Reply&)>& on_reply) {
  while (!bytes.empty()) {
    if (packet_left_ == 0) {
      length_[length_got_++] = bytes.front();
      bytes = bytes.subspan(1);
      if (length_got_ < 4) {
        continue;
      }
      length_got_ = 0;
      packet_length_ = packet_left_ = load_u32(length_);
      if (packet_length_ < 5 || packet_length_ > kMaxPacketBytes) {
        throw std::runtime_error("SFTP reply with length " + std::to_string(packet_length_));
      }
      head_.clear();
      continue;
    }
    const std::size_t taken = std::min(packet_left_, bytes.size());
    const std::size_t kept = std::min(taken, kHeadBytes - head_.size());
    head_.insert(head_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(kept));
    bytes = bytes.subspan(taken);
    packet_left_ -= taken;
    if (packet_left_ == 0) {
      on_reply(Reply{head_[0], load_u32(head_.data() + 1), packet_length_, head_});
    }
  }
}

}  // namespace bench::client
