// SPDX-License-Identifier: Apache-2.0
//
// SIGTERM, SIGINT and SIGHUP as calls on a thread of their own, so that what they do may block and lock.
#pragma once

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
    std::function<void()> stop;    // SIGTERM, SIGINT: may be called several times
    std::function<void()> reload;  // SIGHUP
  };
  // Signals that came earlier are delivered now.
  void start(Actions actions);
  // No action is running or called afterwards. From here on a stop signal ends the process at once: what is left to
  // do may hang in a plugin, and whoever asks again does not want to wait for it.
  void finish();

 private:
  void run();

  std::mutex mutex_;
  Actions actions_;        // under mutex_
  bool finished_ = false;  // under mutex_
  bool ending_ = false;    // under mutex_
  std::thread thread_;
};

}  // namespace host::app
