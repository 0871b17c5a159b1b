// SPDX-License-Identifier: Apache-2.0
//
// Large blocks are kept in one bounded free list: with malloc alone each transfer would fault its pages in anew, since
// freed memory at the top of the heap goes back to the kernel. Any thread.
#include "host/core/block.h"

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "host/core/limits.h"

namespace host::core {
namespace {

class FreeList {
 public:
  std::byte* take() {
    const std::lock_guard lock(mutex_);
    if (blocks_.empty()) return nullptr;
    auto* memory = blocks_.back();
    blocks_.pop_back();
    return memory;
  }
  bool put(std::byte* memory) {
    const std::lock_guard lock(mutex_);
    if (blocks_.size() >= limits::kPooledBlocks) return false;
    blocks_.push_back(memory);
    return true;
  }

 private:
  std::mutex mutex_;
  std::vector<std::byte*> blocks_;
};

FreeList& large_blocks() {
  static auto* list = new FreeList;  // outlives every static that may still hold blocks at exit
  return *list;
}

}  // namespace

void BlockDeleter::operator()(std::byte* memory) const {
  if (capacity == limits::kBlockBytes && large_blocks().put(memory)) return;
  ::operator delete(memory);
}

Block Block::take(std::size_t bytes) {
  std::size_t capacity = bytes;
  if (bytes <= limits::kSmallBlockBytes) {
    capacity = limits::kSmallBlockBytes;
  } else if (bytes <= limits::kBlockBytes) {
    capacity = limits::kBlockBytes;
  }
  std::byte* memory = capacity == limits::kBlockBytes ? large_blocks().take() : nullptr;
  if (memory == nullptr) memory = static_cast<std::byte*>(::operator new(capacity));
  Block block;
  block.memory_ = {memory, BlockDeleter{capacity}};
  return block;
}

Block::Block(Block&& other) noexcept
    : memory_(std::move(other.memory_)), begin_(std::exchange(other.begin_, 0)), end_(std::exchange(other.end_, 0)) {}

Block& Block::operator=(Block&& other) noexcept {
  memory_ = std::move(other.memory_);
  begin_ = std::exchange(other.begin_, 0);
  end_ = std::exchange(other.end_, 0);
  return *this;
}

std::span<std::byte> BlockQueue::reserve(std::size_t bytes) {
  if (blocks_.empty() || blocks_.back().room().size() < bytes) blocks_.push_back(Block::take(bytes));
  return blocks_.back().room();
}

void BlockQueue::commit(std::size_t bytes) {
  blocks_.back().grow(bytes);
  size_ += bytes;
}

void BlockQueue::append(Block block) {
  if (block.empty()) return;
  // Room that was reserved and never used must not come to stand at the front.
  if (!blocks_.empty() && blocks_.back().empty()) blocks_.pop_back();
  size_ += block.size();
  blocks_.push_back(std::move(block));
}

void BlockQueue::append(BlockQueue&& other) {
  // A lone small reply is copied behind the last one: fewer, fuller SSH packets.
  if (other.size_ <= limits::kSmallBlockBytes / 2 && !blocks_.empty() && blocks_.back().room().size() >= other.size_) {
    while (!other.empty()) {
      const auto part = other.front();
      std::copy(part.begin(), part.end(), blocks_.back().room().begin());
      commit(part.size());
      other.consume(part.size());
    }
    return;
  }
  for (auto at = other.first_; at < other.blocks_.size(); ++at) append(std::move(other.blocks_[at]));
  other.clear();
}

std::span<const std::byte> BlockQueue::gather(std::span<std::byte> into) const {
  if (size_ == front().size()) return front().first(std::min(size_, into.size()));
  std::size_t got = 0;
  for (auto at = first_; at < blocks_.size() && got < into.size(); ++at) {
    const auto part = blocks_[at].data().first(std::min(blocks_[at].size(), into.size() - got));
    std::copy(part.begin(), part.end(), into.begin() + static_cast<std::ptrdiff_t>(got));
    got += part.size();
  }
  return into.first(got);
}

void BlockQueue::consume(std::size_t bytes) {
  size_ -= bytes;
  while (first_ < blocks_.size()) {
    const auto part = std::min(bytes, blocks_[first_].size());
    blocks_[first_].consume(part);
    bytes -= part;
    if (!blocks_[first_].empty()) break;
    blocks_[first_++] = Block();
  }
  if (first_ == blocks_.size()) {
    clear();
  } else if (first_ >= 16) {
    blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void BlockQueue::clear() {
  blocks_ = std::vector<Block>();
  first_ = 0;
  size_ = 0;
}

}  // namespace host::core
