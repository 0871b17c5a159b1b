// SPDX-License-Identifier: Apache-2.0
//
// Fixed memory blocks for bytes on their way between disk and socket. A block never grows and never moves, so libssh
// may hold a pointer into it while it runs our callbacks. Any thread may take or release one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace host::core {

struct BlockDeleter {
  std::size_t capacity = 0;
  void operator()(std::byte* memory) const;  // large blocks go back to a bounded process-wide pool
};

// Bytes [begin, end) of the memory hold data.
class Block {
 public:
  // A block of at least `bytes`: kSmallBlockBytes, kBlockBytes or exactly `bytes` when larger. Not zeroed.
  static Block take(std::size_t bytes);

  Block() = default;
  Block(Block&& other) noexcept;
  Block& operator=(Block&& other) noexcept;

  std::span<const std::byte> data() const { return {memory_.get() + begin_, end_ - begin_}; }
  std::span<std::byte> room() { return {memory_.get() + end_, capacity() - end_}; }
  void grow(std::size_t bytes) { end_ += bytes; }       // bytes were put into room()
  void consume(std::size_t bytes) { begin_ += bytes; }  // bytes of data() are done
  std::size_t size() const { return end_ - begin_; }
  std::size_t capacity() const { return memory_.get_deleter().capacity; }
  bool empty() const { return begin_ == end_; }
  explicit operator bool() const { return memory_ != nullptr; }

 private:
  std::unique_ptr<std::byte[], BlockDeleter> memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// A queue of bytes made of blocks: writers append contiguous pieces, one reader takes from the front.
class BlockQueue {
 public:
  // Contiguous room for `bytes` at the tail; valid until the next reserve. Follow with commit(used <= bytes).
  std::span<std::byte> reserve(std::size_t bytes);
  void commit(std::size_t bytes);
  void append(Block block);
  void append(BlockQueue&& other);

  std::span<const std::byte> front() const { return blocks_[first_].data(); }
  // The first bytes, up to into.size(): front() itself where that is all there is, else a copy in `into`.
  std::span<const std::byte> gather(std::span<std::byte> into) const;
  void consume(std::size_t bytes);  // at most size()
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear();

 private:
  std::vector<Block> blocks_;  // a deque would cost every idle channel half a kilobyte
  std::size_t first_ = 0;      // of blocks_ that still holds data
  std::size_t size_ = 0;
};

}  // namespace host::core
