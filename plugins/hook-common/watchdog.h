// SPDX-License-Identifier: Apache-2.0
//
// Does something when a time has come, unless it is called off before. One thread for all. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace hook_common {

class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;
  using Act = std::function<void()>;  // quick; must neither throw nor use the watchdog

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
    std::multimap<Clock::time_point, Act>::iterator at_;
  };

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, Act> acts_;  // an act that was done is empty, and stays until it is called off
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace hook_common
