// SPDX-License-Identifier: Apache-2.0
//
// Big-endian integers and length-prefixed strings over spans. Any thread; knows no packet and no file.
#include "host/sftp/wire.h"

#include <cstring>

namespace host::sftp {
namespace {

template <class Int>
Int load(std::span<const std::byte> bytes) {
  Int value = 0;
  for (const auto byte : bytes) value = static_cast<Int>(value << 8 | std::to_integer<Int>(byte));
  return value;
}

template <class Int>
void store(std::byte* at, Int value) {
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8) {
    *at++ = static_cast<std::byte>(value >> shift & 0xff);
  }
}

}  // namespace

std::span<const std::byte> Reader::take(std::size_t count) {
  if (!ok_ || count > data_.size()) {
    ok_ = false;
    return {};
  }
  const auto taken = data_.first(count);
  data_ = data_.subspan(count);
  return taken;
}

std::uint8_t Reader::u8() {
  const auto byte = take(1);
  return byte.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(byte[0]);
}
std::uint32_t Reader::u32() { return load<std::uint32_t>(take(4)); }
std::uint64_t Reader::u64() { return load<std::uint64_t>(take(8)); }
std::span<const std::byte> Reader::bytes() { return take(u32()); }

std::string_view Reader::text() {
  const auto span = bytes();
  return {reinterpret_cast<const char*>(span.data()), span.size()};
}

std::byte* Writer::room(std::size_t count) {
  if (!ok_ || count > left()) {
    ok_ = false;
    return nullptr;
  }
  auto* at = into_.data() + used_;
  used_ += count;
  return at;
}

void Writer::u8(std::uint8_t value) {
  if (auto* at = room(1)) *at = static_cast<std::byte>(value);
}
void Writer::u32(std::uint32_t value) {
  if (auto* at = room(4)) store(at, value);
}
void Writer::u64(std::uint64_t value) {
  if (auto* at = room(8)) store(at, value);
}
void Writer::text(std::string_view value) {
  if (value.size() > left()) {
    ok_ = false;
    return;
  }
  u32(static_cast<std::uint32_t>(value.size()));
  auto* at = room(value.size());
  if (at != nullptr && !value.empty()) std::memcpy(at, value.data(), value.size());
}
void Writer::set_u32(std::size_t at, std::uint32_t value) {
  if (at + 4 <= used_) store(into_.data() + at, value);
}

}  // namespace host::sftp
