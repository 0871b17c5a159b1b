// SPDX-License-Identifier: Apache-2.0
//
// The other end of the wire for tests: writes requests, reads replies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/block.h"
#include "host/sftp/wire.h"

namespace host::sftp::testing {

// One request packet, built field by field: Ask(Type::kRead, 7).text(handle).u64(0).u32(100).packet().
class Ask {
 public:
  Ask(Type type, std::uint32_t id) { u8(static_cast<std::uint8_t>(type)).u32(id); }
  static Ask extended(std::uint32_t id, std::string_view name) {
    return std::move(Ask(Type::kExtended, id).text(name));
  }

  Ask& u8(std::uint8_t value) { return number(value, 1); }
  Ask& u32(std::uint32_t value) { return number(value, 4); }
  Ask& u64(std::uint64_t value) { return number(value, 8); }
  Ask& text(std::string_view value) {
    u32(static_cast<std::uint32_t>(value.size()));
    body_ += value;
    return *this;
  }
  Ask& raw(std::string_view bytes) {
    body_ += bytes;
    return *this;
  }
  const std::string& body() const { return body_; }
  std::string packet() const;  // with its length word

 private:
  Ask& number(std::uint64_t value, int bytes);
  std::string body_;
};

struct Reply {
  Type type;
  std::uint32_t id;
  std::string fields;  // behind the id

  std::uint32_t code() const {
    return Reader({reinterpret_cast<const std::byte*>(fields.data()), fields.size()}).u32();
  }
  std::string text() const;    // first string of HANDLE and DATA
  std::string status() const;  // text of STATUS
};

// Takes whole packets out of the queue; a rest that is no whole packet becomes one reply of type 0.
std::vector<Reply> take_replies(core::BlockQueue& out);

std::span<const std::byte> as_bytes(std::string_view text);

}  // namespace host::sftp::testing
