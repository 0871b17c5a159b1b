// SPDX-License-Identifier: Apache-2.0
//
// Plain and slow on purpose; shares nothing with the encoder under test but the type numbers and the Reader.
#include "host/sftp/testing/client.h"

namespace host::sftp::testing {

std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

Ask& Ask::number(std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) body_ += static_cast<char>(value >> shift & 0xff);
  return *this;
}

std::string Ask::packet() const {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(body_.size() >> shift & 0xff);
  return out + body_;
}

std::string Reply::text() const { return std::string(Reader(as_bytes(fields)).text()); }

std::string Reply::status() const {
  Reader in(as_bytes(fields));
  in.u32();
  return std::string(in.text());
}

std::vector<Reply> take_replies(core::BlockQueue& out) {
  std::string bytes;
  while (!out.empty()) {
    const auto part = out.front();
    bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
    out.consume(part.size());
  }
  std::vector<Reply> replies;
  Reader in(as_bytes(bytes));
  while (in.left() > 0) {
    Reader packet(in.bytes());
    Reply reply{static_cast<Type>(packet.u8()), packet.u32(), {}};
    if (!in.ok() || !packet.ok()) {
      replies.push_back({static_cast<Type>(0), 0, {}});
      break;
    }
    while (packet.left() > 0) reply.fields += static_cast<char>(packet.u8());
    replies.push_back(std::move(reply));
  }
  return replies;
}

}  // namespace host::sftp::testing
