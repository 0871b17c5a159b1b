// SPDX-License-Identifier: Apache-2.0
//
// An accelerator below libssh, which reads a socket with one poll and one recv per 4 KiB. Where the build has it, the
// executable defines recv, send, poll and close itself; for an attached descriptor libssh then reads from memory that
// one large recv has filled, and finds the socket writable until a send says otherwise. Descriptors that are not
// attached behave as ever. Without it (sanitizers, other systems, sftpd.fast_socket false) everything works, at more
// CPU per byte.
#pragma once

#if defined(__linux__)
#include <poll.h>
#include <sys/types.h>
#endif

#include <cstddef>
#include <span>

namespace host::ssh {

// State of one attached descriptor. Used by its I/O thread only.
struct FastSocket {
  std::span<const std::byte> input;  // received, not yet read by libssh
  bool end_of_input = false;
  bool failed = false;
  bool writable = true;      // until a send found the socket full
  bool wants_write = false;  // a send was cut short: wait until writable, then set `writable`
};

#if defined(__linux__)
// What those symbols do, in every build: the sanitizers, whose runtimes have such symbols of their own, see it in its
// test.
struct FastCalls {
  static ssize_t recv(int fd, void* into, std::size_t size, int flags);
  static ssize_t send(int fd, const void* data, std::size_t size, int flags);
  static int poll(pollfd* fds, nfds_t count, int timeout_ms);
  static int close(int fd);
};
#endif

// Whether libssh gets there.
bool fast_socket_built();
// False: this descriptor cannot be attached.
bool fast_socket_attach(int fd, FastSocket* socket);
// Ends it. So does closing the descriptor, which libssh does when the peer is gone: its number may be another's by
// then.
void fast_socket_detach(int fd, const FastSocket* socket);

// One real, non-blocking receive into `into`, whose memory socket.input refers to afterwards.
void fast_socket_fill(int fd, FastSocket& socket, std::span<std::byte> into);

}  // namespace host::ssh
