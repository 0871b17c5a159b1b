// SPDX-License-Identifier: Apache-2.0
//
// The event loops of one core. Every session starts on the light one, which does little at a time and which the
// scheduler therefore lets run at once. One that moves much data lives on the bulk one for as long as it does: however
// long that keeps its core, logins and small requests do not wait behind it. One that sends many short requests has a
// loop of its own while there is one: its storage calls may run there, since nobody else waits for them.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "host/ssh/io_thread.h"

namespace host::ssh {

class IoGroup {
 public:
  explicit IoGroup(int number);
  IoGroup(const IoGroup&) = delete;
  IoGroup& operator=(const IoGroup&) = delete;

  IoThread& light() { return light_; }
  IoThread& bulk() { return bulk_; }
  // A thread for one session, to be given back; null when all are lent or the group stops. Any thread.
  IoThread* lend_own();
  void give_back(IoThread& own);
  void start();
  void join();
  // Any thread: sessions end, those with transfers by `deadline`; with the last one all threads end.
  void stop(Clock::time_point deadline);

  // Each session from its construction to its end. Any thread.
  void enter() { ++sessions_; }
  void leave();

 private:
  void end_if_done();

  const int number_;
  IoThread light_, bulk_;
  std::mutex mutex_;                            // of the next two
  std::vector<std::unique_ptr<IoThread>> own_;  // started when first needed
  std::vector<IoThread*> free_own_;
  std::atomic<int> sessions_{0};
  std::atomic<bool> stopping_{false};
};

// Where one session lives. Shared with work that runs for it elsewhere and comes back.
class Residence : public std::enable_shared_from_this<Residence> {
 public:
  // Weak: work that waits in an event loop must not keep the loop itself alive.
  explicit Residence(const std::shared_ptr<IoGroup>& group) : group_(group), thread_(&group->light()) {}

  // Runs `work` on the thread where the session lives by then. Any thread.
  void post(std::function<void()> work);
  // As long as the session holds its group.
  IoThread& thread() const { return *thread_; }
  // Whether its thread serves no other.
  bool alone() const { return alone_; }
  // Where the session goes, as the last thing it does here.
  void set_thread(IoThread& thread, bool alone) {
    alone_ = alone;
    thread_ = &thread;
  }

 private:
  const std::weak_ptr<IoGroup> group_;
  std::atomic<IoThread*> thread_;
  std::atomic<bool> alone_{false};
};

}  // namespace host::ssh
