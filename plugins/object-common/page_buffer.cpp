// SPDX-License-Identifier: Apache-2.0
//
// Nothing is given back under a lock: that takes as long as the piece is large.
#include "object-common/page_buffer.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace object_common {
namespace {

constexpr std::size_t kLargePage = 2 * 1024 * 1024;

}  // namespace

// Begins where a large page may begin.
PageBuffer::PageBuffer(std::size_t bytes) {
  const std::size_t aside = bytes >= kLargePage ? kLargePage : 0;
  void* const mapped =
      ::mmap(nullptr, bytes + aside, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  mapped_ = mapped;
  mapped_bytes_ = bytes + aside;
  const auto at = reinterpret_cast<std::uintptr_t>(mapped);
  data_ = static_cast<std::byte*>(mapped) + (aside == 0 ? 0 : (kLargePage - at % kLargePage) % kLargePage);
  size_ = bytes;
}

PageBuffer::~PageBuffer() {
  if (mapped_ != nullptr) ::munmap(mapped_, mapped_bytes_);
}

void PageBuffer::expect_much() const {
#ifdef MADV_HUGEPAGE
  if (size_ >= kLargePage) ::madvise(data_, size_ / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
}

Held Spares::take(std::size_t bytes) {
  Held found, other;
  const std::lock_guard lock(mutex_);
  if (spares_.empty()) return found;
  auto& last = spares_.back();
  (last.pages.size() == bytes ? found : other) = std::move(last);
  spares_.pop_back();
  return found;
}

void Spares::put(Held held) {
  const std::lock_guard lock(mutex_);
  if (spares_.size() < most_) spares_.push_back(std::move(held));
}

void Spares::let_go(bool) {
  while (true) {
    Held gone;
    const std::lock_guard lock(mutex_);
    if (spares_.empty()) return;
    gone = std::move(spares_.back());
    spares_.pop_back();
  }
}

}  // namespace object_common
