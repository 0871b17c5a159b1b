// SPDX-License-Identifier: Apache-2.0
//
// SIGTERM, SIGINT and SIGHUP as calls on a thread of their own, so that what they do may block and lock.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

namespace host::app {

class Signals {
 public:
  // Holds the signals back from this thread and all that it starts from now on: make it before any other thread.
  // Programs that the host runs inherit this and must unblock them.
  Signals();
  ~Signals();  // ends the thread; signals work as before
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  struct Actions {
    std::function<void()> stop;    // SIGTERM, SIGINT: called for the first and the second of them
    std::function<void()> reload;  // SIGHUP; must not block, or no stop is noticed meanwhile
  };
  // What is still to be done after a stop may hang in a plugin. The process ends with EXIT_FAILURE, after a call of
  // give_up, when `stopping` has passed since the first stop or `stopping_now` since the second; at the third at once.
  struct Patience {
    std::chrono::milliseconds stopping, stopping_now;
    std::function<void()> give_up;
  };
  // Signals that came earlier are delivered now.
  void start(Actions actions, Patience patience);
  // No action is running or called afterwards. From here on a stop signal only bounds what is left to do.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void run();
  int next();
  [[noreturn]] void give_up();
  void on_stop();

  Patience patience_{};                                  // set before the thread starts
  Clock::time_point end_by_ = Clock::time_point::max();  // the thread's own
  int stops_ = 0;                                        // the same
  std::mutex mutex_;
  Actions actions_;        // under mutex_
  bool finished_ = false;  // under mutex_
  bool ending_ = false;    // under mutex_
  std::thread thread_;
};

}  // namespace host::app
