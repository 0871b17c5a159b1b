// SPDX-License-Identifier: Apache-2.0
//
// A program of the operator while it runs, in a group of processes of its own. Owned by one thread at a time; calls
// block until their deadline at most.
#pragma once

#include <sallyport/cpp/base.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hook-common/watchdog.h"

namespace hook_common {

struct Command {
  std::string program;  // absolute
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> variables;  // beside the server's own environment
  std::string umask;                                           // octal digits
  std::uint64_t open_files = 0;                                // soft limit; 0: the server's
  bool writes = false;                                         // its output is read
  bool listens = false;                                        // its input is written
  bool leave_others = false;  // what it has started may outlive it, unless the deadline passes
  std::size_t most_output = 1024 * 1024;
  std::shared_ptr<void> place;  // let go of when nothing of the program is left
};

// Why `path` cannot be executed, to be put behind it; "" when it can: an absolute path of a file with the right to be
// executed and, of a script, an interpreter that is there.
std::string why_no_program(const std::string& path);

class Process {
 public:
  using Clock = Watchdog::Clock;
  using Cancelled = std::function<bool()>;

  // At `deadline` it is killed with its group and what it has started, whoever waits for it or not.
  static sallyport::Outcome<std::unique_ptr<Process>> start(Watchdog& dog, const Command& command,
                                                            Clock::time_point deadline);
  ~Process();  // kills what is left of it
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // All of its output, once it has ended well; a failure when it did not.
  sallyport::Outcome<std::string> finish(const Cancelled& cancelled);
  // Its next line, without the end; nothing when it has ended.
  sallyport::Outcome<std::optional<std::string>> read_line(const Cancelled& cancelled);
  // To its input. One that has closed it, or has ended, is no failure: it shows elsewhere.
  sallyport::Outcome<void> write(std::string_view text, const Cancelled& cancelled);

 private:
  struct State;
  explicit Process(std::unique_ptr<State> state);
  // Waits for output, or for the end. False: it has ended and said all.
  sallyport::Outcome<bool> wait(const Cancelled& cancelled);
  // Waits for its end, or for `descriptor`; then it says whether it has ended.
  sallyport::Outcome<bool> wait_for(int descriptor, short what, const Cancelled& cancelled);
  sallyport::Failure kill_because(sp_status status, const std::string& why);
  void kill();

  std::unique_ptr<State> state_;
};

}  // namespace hook_common
