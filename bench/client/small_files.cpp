// SPDX-License-Identifier: Apache-2.0
//
// As file managers and synchronisers with several transfers at once do: an answered OPEN is followed by the data
// request and CLOSE in one go, and a closed file by the OPEN of another.
#include "bench/client/small_files.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "bench/client/packet.h"

namespace bench::client {

SmallFiles::SmallFiles(Connection& connection, SmallFilesPlan plan, std::vector<std::uint8_t> content)
    : connection_(connection), plan_(std::move(plan)), content_(std::move(content)) {}

void SmallFiles::run() {
  connection_.on_reply([this](const Reply& reply) { on_reply(reply); });
  for (std::uint32_t i = 0; i < std::min(plan_.at_once, plan_.count); i++) open_next();
  while (closed_ < plan_.count) {
    if (!packets_.bytes().empty()) {
      PacketWriter out = std::exchange(packets_, {});  // replies that arrive meanwhile add to the next
      connection_.send(out.bytes());
    } else {
      connection_.wait();
    }
  }
  connection_.on_reply(nullptr);
  if (moved_ != plan_.count) throw std::runtime_error("files without their data");
}

void SmallFiles::open_next() {
  const std::uint32_t file = opened_++;
  packets_.begin(kOpen);
  packets_.u32(file * 4 + kOpening);
  packets_.string(plan_.directory + "/" + std::to_string(file));
  packets_.u32(plan_.write ? kOpenWrite | kOpenCreate | kOpenTruncate : kOpenRead);
  packets_.u32(0);  // no attributes
  packets_.end();
}

void SmallFiles::move_and_close(std::uint32_t file, std::string_view handle) {
  packets_.begin(plan_.write ? kWrite : kRead);
  packets_.u32(file * 4 + kMoving);
  packets_.string(handle);
  packets_.u64(0);
  if (plan_.write) {
    packets_.string(std::span<const std::uint8_t>(content_));
  } else {
    packets_.u32(static_cast<std::uint32_t>(plan_.file_bytes));
  }
  packets_.end();
  packets_.begin(kClose);
  packets_.u32(file * 4 + kClosing);
  packets_.string(handle);
  packets_.end();
}

void SmallFiles::on_reply(const Reply& reply) {
  const std::uint32_t file = reply.id / 4;
  const bool ok = reply.type == kStatus && reply.field_u32(5) == kOk;
  switch (reply.id % 4) {
    case kOpening:
      if (reply.type != kHandle) throw std::runtime_error("cannot open " + std::to_string(file));
      move_and_close(file, reply.field_string(5));
      break;
    case kMoving:
      if (!(plan_.write ? ok : reply.type == kData && reply.field_u32(5) == plan_.file_bytes)) {
        throw std::runtime_error("cannot move " + std::to_string(file));
      }
      moved_++;
      break;
    default:
      if (!ok) throw std::runtime_error("cannot close " + std::to_string(file));
      closed_++;
      if (opened_ < plan_.count) open_next();
  }
}

}  // namespace bench::client
