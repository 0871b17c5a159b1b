// SPDX-License-Identifier: Apache-2.0
//
// The two event loops of one core. Every session starts on the light one, which does little at a time and which the
// scheduler therefore lets run at once. One that moves much data lives on the other for as long as it does: however
// long that keeps its core, logins and small requests do not wait behind it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "host/ssh/io_thread.h"

namespace host::ssh {

class IoPair {
 public:
  explicit IoPair(int number);
  IoPair(const IoPair&) = delete;
  IoPair& operator=(const IoPair&) = delete;

  IoThread& light() { return light_; }
  IoThread& bulk() { return bulk_; }
  void start();
  void join();
  // Any thread: sessions end, those with transfers by `deadline`; with the last one both threads end.
  void stop(Clock::time_point deadline);

  // Each session from its construction to its end. Any thread.
  void enter() { ++sessions_; }
  void leave();

 private:
  void end_if_done();

  IoThread light_, bulk_;
  std::atomic<int> sessions_{0};
  std::atomic<bool> stopping_{false};
};

// Where one session lives. Shared with work that runs for it elsewhere and comes back.
class Residence : public std::enable_shared_from_this<Residence> {
 public:
  // Weak: work that waits in an event loop must not keep the loop itself alive.
  explicit Residence(std::weak_ptr<IoPair> pair) : pair_(std::move(pair)) {}

  // Runs `work` on the thread where the session lives by then. Any thread.
  void post(std::function<void()> work);
  bool on_bulk() const { return on_bulk_; }
  // Where the session lives, as the last thing it does there.
  void set_on_bulk(bool bulk) { on_bulk_ = bulk; }

 private:
  const std::weak_ptr<IoPair> pair_;
  std::atomic<bool> on_bulk_{false};
};

}  // namespace host::ssh
