// SPDX-License-Identifier: Apache-2.0
//
// The event loops of one core. Every session starts on the light one, which does little at a time and which the
// scheduler therefore lets run at once. One that moves much data lives on the bulk one for as long as it does: however
// long that keeps its core, logins and small requests do not wait behind it. One that sends many short requests has a
// loop of its own while there is one: its storage calls may run there, since nobody else waits for them.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "host/ssh/io_thread.h"
#include "host/vfs/session_fs.h"

namespace host::ssh {

class IoGroup {
 public:
  explicit IoGroup(int number);
  IoGroup(const IoGroup&) = delete;
  IoGroup& operator=(const IoGroup&) = delete;

  IoThread& light() { return light_; }
  IoThread& bulk() { return bulk_; }
  // A thread for one session, to be given back; null when all are lent or the group stops. Calls on `files` may hang
  // there. Any thread.
  IoThread* lend_own(const std::shared_ptr<vfs::SessionFs>& files);
  void give_back(IoThread& own);
  void start();
  void join();
  // Any thread: sessions end, those with transfers by `deadline`; with the last one all threads end.
  void stop(Clock::time_point deadline);

  // Each session from its construction to its end. Any thread.
  void enter() { ++sessions_; }
  void leave();
  // Somebody whose work for a session may outlast it. Any thread.
  static std::shared_ptr<void> stay(const std::shared_ptr<IoGroup>& group);

 private:
  struct Own {
    std::unique_ptr<IoThread> thread;
    bool lent = false;
    std::weak_ptr<vfs::SessionFs> files;  // of the session that has it
  };
  void end_if_done();
  void end_calls();

  const int number_;
  IoThread light_, bulk_;
  boost::asio::steady_timer patience_;  // on light_, as the next
  Clock::time_point patience_until_ = Clock::time_point::max();
  std::mutex mutex_;      // of the next three
  std::vector<Own> own_;  // started when first needed
  Clock::time_point no_thread_until_{};
  std::shared_ptr<void> nobodys_calls_end_;
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
  // The session goes there, where `arrive` is the first that it does: nothing of it may be touched here any more.
  // `alone`: the thread will serve no other.
  void move(IoThread& to, bool alone, std::function<void()> arrive);

 private:
  const std::weak_ptr<IoGroup> group_;
  // What is posted to a thread for the session lies before whatever comes for the next one that lives there.
  std::mutex moving_;
  std::atomic<IoThread*> thread_;
  std::atomic<bool> alone_{false};
};

}  // namespace host::ssh
