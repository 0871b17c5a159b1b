// SPDX-License-Identifier: Apache-2.0
//
// recv, send, poll and close, and, where the build has the accelerator, these as symbols of the executable, which the
// dynamic linker prefers to those of the C library. Any thread; an entry is written by its descriptor's own I/O thread,
// before libssh uses it and before its number is free.
#include "host/ssh/fast_socket.h"

#include <cerrno>

#if defined(__linux__)

#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace {

constexpr int kMaxDescriptor = 65536;
std::atomic<host::ssh::FastSocket*> attached[kMaxDescriptor];

host::ssh::FastSocket* find(int fd) {
  return fd >= 0 && fd < kMaxDescriptor ? attached[fd].load(std::memory_order_acquire) : nullptr;
}

ssize_t real_recv(int fd, void* into, std::size_t size, int flags) {
  return ::syscall(SYS_recvfrom, fd, into, size, flags, nullptr, nullptr);
}

}  // namespace

namespace host::ssh {

ssize_t FastCalls::recv(int fd, void* into, std::size_t size, int flags) {
  auto* socket = find(fd);
  if (socket == nullptr) return real_recv(fd, into, size, flags);
  if (socket->input.empty()) {
    if (socket->end_of_input) return 0;
    errno = EAGAIN;
    return -1;
  }
  const auto count = std::min(size, socket->input.size());
  std::memcpy(into, socket->input.data(), count);
  socket->input = socket->input.subspan(count);
  return static_cast<ssize_t>(count);
}

ssize_t FastCalls::send(int fd, const void* data, std::size_t size, int flags) {
  auto* socket = find(fd);
  if (socket == nullptr) return ::syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
  const auto sent = ::syscall(SYS_sendto, fd, data, size, flags | MSG_DONTWAIT | MSG_NOSIGNAL, nullptr, 0);
  const bool full = sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  if (full || (sent >= 0 && static_cast<std::size_t>(sent) < size)) {
    socket->writable = false;
    socket->wants_write = true;
  }
  return full ? 0 : sent;  // libssh takes EAGAIN for a broken connection
}

int FastCalls::poll(pollfd* fds, nfds_t count, int timeout_ms) {
  if (count == 1) {
    if (const auto* socket = find(fds->fd)) {
      short events = 0;
      if ((fds->events & POLLIN) != 0 && (!socket->input.empty() || socket->end_of_input)) events |= POLLIN;
      if ((fds->events & POLLOUT) != 0 && socket->writable) events |= POLLOUT;
      if (socket->failed) events |= POLLERR;
      fds->revents = events;
      return events != 0 ? 1 : 0;
    }
  }
  if (timeout_ms < 0) return static_cast<int>(::syscall(SYS_ppoll, fds, count, nullptr, nullptr, 0));
  timespec limit{timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
  return static_cast<int>(::syscall(SYS_ppoll, fds, count, &limit, nullptr, 0));
}

int FastCalls::close(int fd) {
  if (fd >= 0 && fd < kMaxDescriptor) attached[fd].store(nullptr, std::memory_order_release);
  return static_cast<int>(::syscall(SYS_close, fd));
}

bool fast_socket_attach(int fd, FastSocket* socket) {
  if (fd < 0 || fd >= kMaxDescriptor) return false;
  attached[fd].store(socket, std::memory_order_release);
  return true;
}

void fast_socket_detach(int fd, const FastSocket* socket) {
  auto* expected = const_cast<FastSocket*>(socket);
  attached[fd].compare_exchange_strong(expected, nullptr);
}

void fast_socket_fill(int fd, FastSocket& socket, std::span<std::byte> into) {
  const auto count = real_recv(fd, into.data(), into.size(), MSG_DONTWAIT);
  if (count > 0) {
    socket.input = into.first(static_cast<std::size_t>(count));
  } else if (count == 0) {
    socket.end_of_input = true;
  } else if (errno != EAGAIN && errno != EINTR) {
    socket.end_of_input = true;
    socket.failed = true;
  }
}

}  // namespace host::ssh

#else

namespace host::ssh {

bool fast_socket_attach(int, FastSocket*) { return false; }
void fast_socket_detach(int, const FastSocket*) {}
void fast_socket_fill(int, FastSocket&, std::span<std::byte>) {}

}  // namespace host::ssh

#endif

#if defined(SALLYPORT_FAST_SOCKET) && defined(__linux__)

// glibc declares poll's array as written only, although its members `fd` and `events` are read.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

extern "C" {

__attribute__((visibility("default"))) ssize_t recv(int fd, void* into, size_t size, int flags) {
  return host::ssh::FastCalls::recv(fd, into, size, flags);
}
__attribute__((visibility("default"))) ssize_t send(int fd, const void* data, size_t size, int flags) {
  return host::ssh::FastCalls::send(fd, data, size, flags);
}
__attribute__((visibility("default"))) int poll(struct pollfd* fds, nfds_t count, int timeout_ms) {
  return host::ssh::FastCalls::poll(fds, count, timeout_ms);
}
__attribute__((visibility("default"))) int close(int fd) { return host::ssh::FastCalls::close(fd); }

}  // extern "C"

bool host::ssh::fast_socket_built() { return true; }

#else

bool host::ssh::fast_socket_built() { return false; }

#endif
