// SPDX-License-Identifier: Apache-2.0
//
// Ends of a server that nobody sends a signal for: its time is over, or whoever started it is gone.
#pragma once

#include <chrono>
#include <thread>

namespace host::app {

class Ending {
 public:
  // Sends this process SIGTERM `after` that time (0: never), and with `with_stdin` when standard input ends; what comes
  // from there is thrown away.
  Ending(std::chrono::milliseconds after, bool with_stdin);
  ~Ending();
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

 private:
  void watch(std::chrono::milliseconds after, bool with_stdin) const;
  int wake_[2] = {-1, -1};  // a pipe: closing its writing end ends the watch
  std::thread thread_;
};

}  // namespace host::app
