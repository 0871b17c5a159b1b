// SPDX-License-Identifier: Apache-2.0
//
// Memory of parts and chunks, in pages of their own: the C library keeps what is freed in a heap for each thread, many
// times over, and fills with zeros what is overwritten at once.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "object-common/memory_budget.h"

namespace object_common {

// One piece, returned to the system at its end. A page that was never written to takes no memory.
class PageBuffer {
 public:
  PageBuffer() = default;
  explicit PageBuffer(std::size_t bytes);  // std::bad_alloc
  PageBuffer(PageBuffer&& other) noexcept { swap(other); }
  PageBuffer& operator=(PageBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~PageBuffer();

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  // What is written from now on comes in large pages, where the system has any: for what will be filled.
  void expect_much() const;

 private:
  void swap(PageBuffer& other) noexcept {
    std::swap(mapped_, other.mapped_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// A piece of memory and what it counts for.
struct Held {
  PageBuffer pages;
  Share share;
};

// What one transfer has used and will need again; goes when somebody waits for memory. Any thread.
class Spares final : public MemoryHolder {
 public:
  explicit Spares(std::size_t most) : most_(most) { spares_.reserve(most); }
  // One of just that size; without pages: there is none.
  Held take(std::size_t bytes);
  void put(Held held);  // needs no memory
  void let_go(bool urgent) override;

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::vector<Held> spares_;  // under mutex_
};

}  // namespace object_common
