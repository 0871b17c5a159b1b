// SPDX-License-Identifier: Apache-2.0
//
// The only copy of uploaded bytes inside this folder happens here: from the transport's buffer into a block. Workers
// read finished packets of a block while later ones are still being put behind them; the bytes are disjoint.
#include "host/sftp/input.h"

#include <algorithm>
#include <cstring>

#include "host/core/limits.h"
#include "host/sftp/wire.h"

namespace host::sftp {

bool Input::take_length(std::span<const std::byte>& data) {
  while (header_bytes_ < header_.size() && !data.empty()) {
    header_[header_bytes_++] = data.front();
    data = data.subspan(1);
  }
  if (header_bytes_ < header_.size()) return false;
  header_bytes_ = 0;
  length_ = Reader(header_).u32();
  return true;
}

// Small packets share a block; a packet is never split over two.
void Input::start_assembly() {
  if (!block_ || block_->room().size() < length_) {
    block_ = std::make_shared<core::Block>(core::Block::take(length_));
  }
  start_ = block_->size();
  missing_ = length_;
  assembling_ = true;
}

Input::Step Input::next(std::span<const std::byte>& data, Packet& packet) {
  if (!assembling_) {
    if (!take_length(data)) return Step::kMore;
    if (length_ == 0 || length_ > core::limits::kMaxPacketBytes) return Step::kBad;
    if (data.size() >= length_ && static_cast<Type>(data.front()) != Type::kWrite) {
      packet = {data.first(length_), nullptr};
      data = data.subspan(length_);
      return Step::kPacket;
    }
    start_assembly();
  }
  const auto count = std::min<std::size_t>(missing_, data.size());
  if (count > 0) std::memcpy(block_->room().data(), data.data(), count);
  block_->grow(count);
  data = data.subspan(count);
  missing_ -= static_cast<std::uint32_t>(count);
  if (missing_ > 0) return Step::kMore;
  assembling_ = false;
  packet = {block_->data().subspan(start_, length_), block_};
  return Step::kPacket;
}

void Input::rest() {
  if (!assembling_) block_.reset();
}

}  // namespace host::sftp
