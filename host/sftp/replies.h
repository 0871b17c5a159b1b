// SPDX-License-Identifier: Apache-2.0
//
// Encodes whole reply packets at the end of a block queue (filexfer-02 section 7). On the thread that owns the queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "host/core/attrs.h"
#include "host/core/block.h"
#include "host/core/result.h"
#include "host/sftp/status_map.h"
#include "host/sftp/wire.h"

namespace host::sftp {

using HandleId = std::uint64_t;

inline constexpr std::size_t kAttrsBytes = 32;  // flags, size, uid, gid, mode, atime, mtime

// One packet being written: reserves `max_bytes` for everything after the length word, writes the type, and counts
// only once send() is called. Dropping it leaves the queue as it was.
class Packet {
 public:
  Packet(core::BlockQueue& out, Type type, std::size_t max_bytes);
  Writer& body() { return body_; }
  // False when max_bytes was too small; nothing is sent then.
  bool send();

 private:
  core::BlockQueue& out_;
  Writer body_;
};

void put_status(core::BlockQueue& out, std::uint32_t id, Code code, std::string_view text);
// Code and text by the status alone: an Error's own text may name server paths and stays out.
void put_status(core::BlockQueue& out, std::uint32_t id, core::Status status);
void put_result(core::BlockQueue& out, std::uint32_t id, const core::Result<void>& result);
void put_handle(core::BlockQueue& out, std::uint32_t id, HandleId handle);
void put_attrs(core::BlockQueue& out, std::uint32_t id, const core::Attrs& attrs);
// One name without attributes: REALPATH, READLINK.
void put_name(core::BlockQueue& out, std::uint32_t id, std::string_view name);

// DATA, read straight into place: fill the room, then send what was read. The room is lost when never sent.
std::span<std::byte> data_room(core::BlockQueue& out, std::size_t max_bytes);
void send_data(core::BlockQueue& out, std::span<std::byte> room, std::uint32_t id, std::size_t bytes);

// kAttrsBytes: size, owner, permissions with type bits, times in seconds.
void encode_attrs(Writer& out, const core::Attrs& attrs);

}  // namespace host::sftp
