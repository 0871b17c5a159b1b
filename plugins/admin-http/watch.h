// SPDX-License-Identifier: Apache-2.0
//
// Deadlines of connections: a client that takes too long for one request, however it spreads its bytes, is cut off.
// Poco bounds the time between two bytes only. Any thread; owns one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "http_limits.h"

namespace admin_http {

class Watch {
 public:
  using Clock = std::chrono::steady_clock;

  Watch();
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // One connection, on the stack of the thread that serves it. Holds a duplicate of the descriptor, so that the number
  // cannot mean another connection by the time it is cut off.
  class Connection {
   public:
    Connection(Watch& watch, int descriptor);  // throws when there is no further descriptor
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // What the client may take to send a request; a connection that waits for one is of no more use at the end.
    void allow(Clock::duration time);
    // For us to carry it out; `what` names it in a log. False, and no time: all are cut off, it is not to begin.
    bool allow_any_time(std::string what = {});
    void allow_rest();                        // to the client, what it had left before
    void allow_answer(Clock::duration time);  // for the client to take the answer
    bool ending() const;                      // all are cut off

   private:
    friend class Watch;
    Watch& watch_;
    const int descriptor_;
    void set(Clock::time_point deadline, bool in_request);
    bool is_ours() const { return in_request_ && deadline_ == Clock::time_point::max(); }  // with watch_.mutex_ held
    void bound_last_answer();                                                              // with watch_.mutex_ held
    Clock::time_point deadline_ = Clock::time_point::max();                                // under watch_.mutex_
    // Under watch_.mutex_.
    bool in_request_ = false;  // it has come, its answer has not gone
    std::string what_;
    Clock::time_point rest_ = Clock::time_point::max();  // the deadline before this one
    Clock::time_point since_;
  };

  // Cuts off all connections, now and from now on; those whose request is being carried out when they have their
  // answer, which they must take within limits::kLastAnswer, or at `deadline`. Returns when there are none; else, soon
  // after the deadline, what is still being carried out. Others have `patience` after the deadline to find out.
  std::vector<std::string> cut_all(Clock::time_point deadline, Clock::duration patience = limits::kStragglers);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_, fewer_;
  std::set<Connection*> connections_;  // under mutex_
  bool cutting_ = false;               // under mutex_
  bool stopping_ = false;              // under mutex_
  std::thread thread_;
};

}  // namespace admin_http
