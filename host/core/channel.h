// SPDX-License-Identifier: Apache-2.0
//
// The end of an SSH session channel (RFC 4254) at which a protocol is served: bytes in, bytes out. Belongs to one I/O
// thread; whoever implements it knows no sockets and no SSH library, whoever drives it no protocol.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "host/core/block.h"

namespace host::core {

class Channel : public std::enable_shared_from_this<Channel> {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Hooks {
    // Runs a function on the channel's I/O thread, soon. Callable from any thread, also after the session is gone
    // (the function is then still run or destroyed).
    std::function<void(std::function<void()>)> post;
    // On the I/O thread: output or ready() or failed() may have changed; never called from within on_data or output().
    std::function<void()> wake;
    // On the I/O thread: true while it serves nobody else. What may block for a moment then needs no worker.
    std::function<bool()> alone = [] { return false; };
    // For bandwidth limits; tests have a clock of their own.
    std::function<Time()> now = std::chrono::steady_clock::now;
  };

  virtual ~Channel() = default;

  // All on the I/O thread.
  // False: full; the caller keeps what it has until wake() and then asks again.
  virtual bool ready() const = 0;
  // Takes all of `data`, whatever ready() says.
  virtual void on_data(std::span<const std::byte> data) = 0;
  // The client will send no more. Requests that are complete are still answered.
  virtual void on_eof() = 0;
  // Bytes to send. The caller may call fill() first to let quick reads be answered in place, then consumes.
  virtual BlockQueue& output() = 0;
  // The same as standard error (RFC 4254 section 5.2); null: this protocol has none.
  virtual BlockQueue* errors() { return nullptr; }
  // Starts what waits: on workers, or in place where that needs no waiting, the latter up to about `budget` bytes of
  // output. Call it once per turn after on_data, and whenever output() has shrunk; with 0 when nothing can be sent.
  virtual void fill(std::size_t budget) = 0;
  // The client broke the protocol: send what is in output(), then close the channel.
  virtual bool failed() const = 0;
  // Everything is done and handed over: close with exit_status().
  virtual bool finished() const = 0;
  virtual int exit_status() const { return 0; }
  // The signal that ended it, by its name in RFC 4254 section 6.10; null: exit_status() counts.
  virtual const char* exit_signal() const { return nullptr; }
  // A file is open for writing and receiving: the transport may widen its receive window.
  virtual bool receiving_upload() const = 0;
  // When a bandwidth limit lets fill() start something that waits; the maximum when nothing does.
  virtual Time next_turn() const { return Time::max(); }
  // Any file transfer open: shutdown waits for it.
  virtual bool busy() const = 0;
  // The session ends: nothing more is sent; open files are closed as lost on their workers. Last call.
  virtual void abandon() = 0;
};

}  // namespace host::core
