// SPDX-License-Identifier: Apache-2.0
//
// Interposes recv() and poll(): the executable's definitions win over libc's when libssh resolves them. Only
// descriptors registered by a Readahead are changed; all others go straight to the kernel.
// A slot is touched only by the thread that owns that session; the array itself is lock-free.
#include "bench/client/readahead.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <vector>

namespace {

constexpr std::size_t kBufferBytes = 1 << 18;
constexpr int kMaxDescriptors = 65536;

struct Buffer {
  std::vector<char> bytes = std::vector<char>(kBufferBytes);
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::array<std::atomic<Buffer*>, kMaxDescriptors> buffers;

Buffer* buffer_of(int fd) {
  return fd >= 0 && fd < kMaxDescriptors ? buffers[static_cast<std::size_t>(fd)].load(std::memory_order_relaxed)
                                         : nullptr;
}

ssize_t kernel_recv(int fd, void* out, std::size_t size, int flags) {
  return syscall(SYS_recvfrom, fd, out, size, flags, nullptr, nullptr);
}

int kernel_poll(pollfd* fds, nfds_t count, int timeout_ms) {
  timespec limit{timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
  return static_cast<int>(syscall(SYS_ppoll, fds, count, timeout_ms < 0 ? nullptr : &limit, nullptr, 0));
}

}  // namespace

extern "C" ssize_t recv(int fd, void* out, std::size_t size, int flags) {
  Buffer* buffer = buffer_of(fd);
  if (buffer == nullptr) {
    return kernel_recv(fd, out, size, flags);
  }
  if (buffer->begin == buffer->end) {
    const ssize_t got = kernel_recv(fd, buffer->bytes.data(), buffer->bytes.size(), flags);
    if (got <= 0) {
      return got;
    }
    buffer->begin = 0;
    buffer->end = static_cast<std::size_t>(got);
  }
  const std::size_t taken = std::min(size, buffer->end - buffer->begin);
  std::memcpy(out, buffer->bytes.data() + buffer->begin, taken);
  buffer->begin += taken;
  return static_cast<ssize_t>(taken);
}

// Under its own C++ name because glibc declares poll's array write-only, and we read it.
extern "C" int interposed_poll(pollfd* fds, nfds_t count, int timeout_ms) __asm__("poll");

extern "C" int interposed_poll(pollfd* fds, nfds_t count, int timeout_ms) {
  // libssh polls one descriptor per session; what is already buffered makes it readable whatever the kernel says.
  if (count == 1 && (fds[0].events & POLLIN) != 0) {
    const Buffer* buffer = buffer_of(fds[0].fd);
    if (buffer != nullptr && buffer->begin < buffer->end) {
      fds[0].revents = 0;
      if (fds[0].events != POLLIN && kernel_poll(fds, count, 0) < 0) {
        return -1;
      }
      fds[0].revents = static_cast<short>(fds[0].revents | POLLIN);
      return 1;
    }
  }
  return kernel_poll(fds, count, timeout_ms);
}

namespace bench::client {

Readahead::Readahead(int fd) : fd_(fd) {
  if (fd < 0 || fd >= kMaxDescriptors) {
    throw std::runtime_error("descriptor out of range for read-ahead");
  }
  buffers[static_cast<std::size_t>(fd)] = new Buffer;
}

Readahead::~Readahead() { delete buffers[static_cast<std::size_t>(fd_)].exchange(nullptr); }

}  // namespace bench::client
