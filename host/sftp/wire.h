// SPDX-License-Identifier: Apache-2.0
//
// Bytes of SFTP packets, read and written within bounds (filexfer-02 section 3; RFC 4251 section 5 data types). No I/O.
// Both ends are sticky: after the first overrun everything reads as zero or is not written, and ok() says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace host::sftp {

// Packet types, filexfer-02 section 3.
enum class Type : std::uint8_t {
  kInit = 1,
  kVersion = 2,
  kOpen = 3,
  kClose = 4,
  kRead = 5,
  kWrite = 6,
  kLstat = 7,
  kFstat = 8,
  kSetstat = 9,
  kFsetstat = 10,
  kOpendir = 11,
  kReaddir = 12,
  kRemove = 13,
  kMkdir = 14,
  kRmdir = 15,
  kRealpath = 16,
  kStat = 17,
  kRename = 18,
  kReadlink = 19,
  kSymlink = 20,
  kStatus = 101,
  kHandle = 102,
  kData = 103,
  kName = 104,
  kAttrs = 105,
  kExtended = 200,
  kExtendedReply = 201,
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> data) : data_(data) {}

  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::span<const std::byte> bytes();  // a string: length word, then that many bytes; borrowed
  std::string_view text();             // the same as characters; borrowed
  bool ok() const { return ok_; }
  std::size_t left() const { return data_.size(); }

 private:
  std::span<const std::byte> take(std::size_t count);

  std::span<const std::byte> data_;
  bool ok_ = true;
};

class Writer {
 public:
  explicit Writer(std::span<std::byte> into) : into_(into) {}

  void u8(std::uint8_t value);
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void text(std::string_view value);                  // length word and bytes
  void set_u32(std::size_t at, std::uint32_t value);  // overwrites what was written before
  bool ok() const { return ok_; }
  std::size_t size() const { return used_; }
  std::size_t left() const { return into_.size() - used_; }

 private:
  std::byte* room(std::size_t count);

  std::span<std::byte> into_;
  std::size_t used_ = 0;
  bool ok_ = true;
};

}  // namespace host::sftp
