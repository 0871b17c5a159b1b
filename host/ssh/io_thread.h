// SPDX-License-Identifier: Apache-2.0
//
// One I/O thread: its io_context, the sessions that live on it, and the order in which they get their turns. A session
// with much to send waits in the bulk queue; one bulk turn runs per round of the event loop, so that a session that
// just woke up (a login, a small request) never waits for more than one of them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <thread>
#include <unordered_set>
#include <vector>

namespace host::ssh {

class Session;

using Clock = std::chrono::steady_clock;

class IoThread {
 public:
  explicit IoThread(int number);
  ~IoThread();  // join()
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  boost::asio::io_context& io() { return io_; }
  void start();
  void join();

  // Any thread: sessions end, those with transfers by `deadline`; the thread ends with its last session.
  void stop(Clock::time_point deadline);

  // The rest on this thread only.
  void add(std::shared_ptr<Session> session);
  void remove(const std::shared_ptr<Session>& session);
  void add_bulk(std::shared_ptr<Session> session);  // wants another turn
  bool bulk_waits() const { return !bulk_.empty(); }
  std::vector<std::byte>& receive_buffer() { return receive_buffer_; }

 private:
  void schedule_tick();
  void tick();
  void run_bulk();

  const int number_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  std::thread thread_;
  std::unordered_set<std::shared_ptr<Session>> sessions_;
  std::deque<std::shared_ptr<Session>> bulk_;
  bool bulk_posted_ = false;
  bool stopping_ = false;
  Clock::time_point stop_by_;
  std::vector<std::byte> receive_buffer_;
};

}  // namespace host::ssh
