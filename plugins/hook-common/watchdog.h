// SPDX-License-Identifier: Apache-2.0
//
// Does something when a time has come, and again when it asks for that, unless it is called off before. One thread for
// all. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace hook_common {

inline constexpr auto kLook = std::chrono::milliseconds(500);  // between looks at whether somebody still waits

class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::time_point kNever = Clock::time_point::max();
  using Act =
      std::function<Clock::time_point()>;  // gives its next time; quick, must neither throw nor use the watchdog

  Watchdog();
  ~Watchdog();  // nothing is done any more
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Calls it off when it goes; then the act is over, or will never begin.
  class Watch {
   public:
    Watch(Watchdog& dog, Clock::time_point when, Act act);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Watchdog& dog_;
    std::list<std::pair<Clock::time_point, Act>>::iterator at_;
  };

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<std::pair<Clock::time_point, Act>> acts_;  // a few hundred at most: as many as calls at once
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace hook_common
