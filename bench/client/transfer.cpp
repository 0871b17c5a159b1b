// SPDX-License-Identifier: Apache-2.0
//
// The pipeline behind get, put and bulk: fills a window of requests, batches them into few channel writes, refills it
// as replies come. Runs on the thread of its connection; knows SFTP packets and the pattern, nothing of SSH.
#include "bench/client/transfer.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "bench/client/pattern.h"

namespace bench::client {
namespace {

constexpr std::size_t kBatchBytes = 3 << 16;
constexpr std::size_t kDataHeaderBytes = 9;  // type, id, length

}  // namespace

Transfer::Transfer(Connection& connection, TransferPlan plan) : connection_(connection), plan_(std::move(plan)) {
  plan_.block_bytes = connection_.transfer_size(plan_.block_bytes, plan_.write) / kPatternBlock * kPatternBlock;
  if (plan_.block_bytes == 0 || plan_.size_bytes == 0) {
    throw std::runtime_error("nothing to transfer");
  }
  if (plan_.write) {
    payload_ = make_pattern(plan_.block_bytes);
  }
  blocks_.resize(std::max<std::uint64_t>(1, plan_.in_flight_bytes / plan_.block_bytes));
  for (std::size_t id = blocks_.size(); id-- > 0;) {
    free_ids_.push_back(static_cast<std::uint32_t>(id));
  }
  handle_ = connection_.open_file(plan_.path, plan_.write ? kOpenWrite | kOpenCreate | kOpenTruncate : kOpenRead);
}

void Transfer::count(std::uint64_t bytes) {
  bytes_done_ += bytes;
  if (plan_.progress != nullptr) {
    plan_.progress->fetch_add(bytes, std::memory_order_relaxed);
  }
}

void Transfer::close() { connection_.close_handle(handle_); }

void Transfer::run(const std::atomic<bool>* stop) {
  connection_.on_reply([this](const Reply& reply) { on_reply(reply); });
  for (;;) {
    Block block;
    while (!free_ids_.empty() && packets_.bytes().size() < kBatchBytes && next_block(stop, block)) {
      issue(block);
    }
    if (!packets_.bytes().empty()) {
      connection_.send(packets_.bytes());
      packets_.clear();
      continue;
    }
    if (free_ids_.size() == blocks_.size()) {
      return;
    }
    connection_.wait();
  }
}

bool Transfer::next_block(const std::atomic<bool>* stop, Block& block) {
  if (!again_.empty()) {
    block = again_.front();
    again_.pop_front();
    return true;
  }
  if (next_offset_ == plan_.size_bytes || (stop != nullptr && stop->load(std::memory_order_relaxed))) {
    return false;
  }
  block.offset = next_offset_;
  block.size = static_cast<std::uint32_t>(std::min<std::uint64_t>(plan_.block_bytes, plan_.size_bytes - next_offset_));
  next_offset_ += block.size;
  return true;
}

void Transfer::issue(const Block& block) {
  const std::uint32_t id = free_ids_.back();
  free_ids_.pop_back();
  blocks_[id] = block;
  packets_.begin(plan_.write ? kWrite : kRead);
  packets_.u32(id);
  packets_.string(handle_);
  packets_.u64(block.offset);
  if (plan_.write) {
    const auto data = std::span(payload_).first(block.size);
    stamp_pattern(data, block.offset);
    packets_.string(std::span<const std::uint8_t>(data));
  } else {
    packets_.u32(block.size);
  }
  packets_.end();
}

void Transfer::on_reply(const Reply& reply) {
  if (reply.id >= blocks_.size() || blocks_[reply.id].size == 0) {
    throw std::runtime_error("SFTP reply to a request that is not in flight");
  }
  const Block block = std::exchange(blocks_[reply.id], Block{});
  if (reply.type == kData && !plan_.write) {
    on_data(reply, block);
  } else if (reply.type == kStatus && plan_.write && reply.field_u32(5) == kOk) {
    count(block.size);
  } else {
    throw std::runtime_error("transfer at " + std::to_string(block.offset) + ": reply type " +
                             std::to_string(reply.type) +
                             (reply.type == kStatus ? ", status " + std::to_string(reply.field_u32(5)) : ""));
  }
  free_ids_.push_back(reply.id);
}

void Transfer::on_data(const Reply& reply, const Block& block) {
  const std::uint32_t size = reply.field_u32(5);
  if (size == 0 || size > block.size || reply.length != kDataHeaderBytes + size) {
    throw std::runtime_error("DATA reply with a wrong length");
  }
  if (block.offset % kPatternBlock == 0 && size >= 8 &&
      load_u64(reply.head.data() + kDataHeaderBytes) != block.offset) {
    throw std::runtime_error("DATA reply with bytes from another place");
  }
  if (size < block.size) {
    again_.push_back({block.offset + size, block.size - size});
  }
  count(size);
}

}  // namespace bench::client
