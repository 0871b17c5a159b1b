// SPDX-License-Identifier: Apache-2.0
//
// Replies are encoded where they will be sent from: into the tail of a block, without a staging copy. Knows no request.
#include "host/sftp/replies.h"

#include <algorithm>

#include "host/sftp/longname.h"

namespace host::sftp {
namespace {

using core::Attrs;

constexpr std::uint32_t kAttrSize = 1, kAttrOwner = 2, kAttrPerms = 4, kAttrTimes = 8;
constexpr std::size_t kStatusBytes = 256;
constexpr std::size_t kDataHeaderBytes = 4 + 1 + 4 + 4;

std::uint32_t seconds(std::int64_t ns) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(ns / 1'000'000'000, 0, 0xffffffff));
}

}  // namespace

Packet::Packet(core::BlockQueue& out, Type type, std::size_t max_bytes)
    : out_(out), body_(out.reserve(4 + max_bytes).first(4 + max_bytes)) {
  body_.u32(0);
  body_.u8(static_cast<std::uint8_t>(type));
}

bool Packet::send() {
  if (!body_.ok()) return false;
  body_.set_u32(0, static_cast<std::uint32_t>(body_.size() - 4));
  out_.commit(body_.size());
  return true;
}

void put_status(core::BlockQueue& out, std::uint32_t id, Code code, std::string_view text) {
  Packet packet(out, Type::kStatus, kStatusBytes);
  packet.body().u32(id);
  packet.body().u32(static_cast<std::uint32_t>(code));
  packet.body().text(text.substr(0, kStatusBytes / 2));
  packet.body().text("en");
  packet.send();
}

void put_status(core::BlockQueue& out, std::uint32_t id, core::Status status) {
  put_status(out, id, code_of(status), core::describe(status));
}

void put_result(core::BlockQueue& out, std::uint32_t id, const core::Result<void>& result) {
  put_status(out, id, result ? core::Status::kOk : result.error().status);
}

void put_handle(core::BlockQueue& out, std::uint32_t id, HandleId handle) {
  Packet packet(out, Type::kHandle, 32);
  packet.body().u32(id);
  packet.body().u32(sizeof handle);
  packet.body().u64(handle);
  packet.send();
}

void put_attrs(core::BlockQueue& out, std::uint32_t id, const Attrs& attrs) {
  Packet packet(out, Type::kAttrs, 5 + kAttrsBytes);
  packet.body().u32(id);
  encode_attrs(packet.body(), attrs);
  packet.send();
}

void put_name(core::BlockQueue& out, std::uint32_t id, std::string_view name) {
  Packet packet(out, Type::kName, 32 + 2 * name.size());
  packet.body().u32(id);
  packet.body().u32(1);
  packet.body().text(name);
  packet.body().text(name);
  packet.body().u32(0);
  packet.send();
}

std::span<std::byte> data_room(core::BlockQueue& out, std::size_t max_bytes) {
  return out.reserve(kDataHeaderBytes + max_bytes).subspan(kDataHeaderBytes, max_bytes);
}

void send_data(core::BlockQueue& out, std::span<std::byte> room, std::uint32_t id, std::size_t bytes) {
  Writer header({room.data() - kDataHeaderBytes, kDataHeaderBytes});
  header.u32(static_cast<std::uint32_t>(kDataHeaderBytes - 4 + bytes));
  header.u8(static_cast<std::uint8_t>(Type::kData));
  header.u32(id);
  header.u32(static_cast<std::uint32_t>(bytes));
  out.commit(kDataHeaderBytes + bytes);
}

void encode_attrs(Writer& out, const Attrs& attrs) {
  out.u32(kAttrSize | kAttrOwner | kAttrPerms | kAttrTimes);
  out.u64(attrs.has(Attrs::kSize) ? attrs.size : 0);
  out.u32(attrs.has(Attrs::kOwner) ? attrs.uid : 0);
  out.u32(attrs.has(Attrs::kOwner) ? attrs.gid : 0);
  out.u32(posix_mode(attrs));
  const auto mtime = attrs.has(Attrs::kMtime) ? seconds(attrs.mtime_ns) : 0;
  out.u32(attrs.has(Attrs::kAtime) ? seconds(attrs.atime_ns) : mtime);
  out.u32(mtime);
}

}  // namespace host::sftp
