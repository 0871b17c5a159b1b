// SPDX-License-Identifier: Apache-2.0
//
// One event loop: its io_context, the sessions that live on it, and the order in which they get their turns. A session
// with much to send waits in the bulk queue; one bulk turn runs per round of the event loop, so that a session that
// just woke up (a login, a small request) never waits for more than one of them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

namespace host::ssh {

class Session;

using Clock = std::chrono::steady_clock;

class IoThread {
 public:
  struct Manner {
    std::chrono::nanoseconds slice{};  // not zero: what the scheduler is asked for (core::prefer_short_slices)
    std::chrono::nanoseconds look{};   // for how long it looks for more to do before it sleeps
  };
  IoThread(std::string name, Manner manner);
  ~IoThread();  // join()
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  boost::asio::io_context& io() { return io_; }
  void start();
  void join();

  // Any thread: sessions end, those with transfers by `deadline`.
  void stop(Clock::time_point deadline);
  // Any thread, when no session will come any more: the loop ends once it has run what waits in it.
  void end();

  // The rest on this thread only.
  void add(std::shared_ptr<Session> session);
  void remove(const std::shared_ptr<Session>& session);
  void add_bulk(std::shared_ptr<Session> session);  // wants another turn
  bool bulk_waits() const { return !bulk_.empty(); }
  std::vector<std::byte>& receive_buffer() { return receive_buffer_; }

 private:
  void run();
  void look_for_more();
  void ensure_tick();
  void tick();
  void run_bulk();

  const std::string name_;
  const Manner manner_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  std::thread thread_;
  std::unordered_set<std::shared_ptr<Session>> sessions_;
  std::deque<std::shared_ptr<Session>> bulk_;
  bool bulk_posted_ = false;
  bool ticking_ = false;  // while there are sessions
  bool stopping_ = false;
  bool ended_ = false;
  Clock::time_point stop_by_;
  std::vector<std::byte> receive_buffer_;
};

}  // namespace host::ssh
