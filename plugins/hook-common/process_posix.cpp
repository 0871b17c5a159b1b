// SPDX-License-Identifier: Apache-2.0
//
// A pidfd to wait for the end, and poll over it and the pipes. A program is over when its first process is: children
// that it has left behind with its output open are not waited for. Linux.
#include "hook-common/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "hook-common/fd.h"
#include "hook-common/spawn.h"

namespace hook_common {
namespace {

using sallyport::Failure;
using sallyport::Outcome;

constexpr std::size_t kInterpreterBytes = 256;        // of a script's first line, as Linux has it
constexpr auto kIdleLook = std::chrono::seconds(1);   // at whether one that waits for answers has ended
constexpr int kNotExecutable = 126, kNotFound = 127;  // exit codes with which shells say that

bool open_pipe(std::array<Fd, 2>& ends) {
  std::array<int, 2> raw{};
  if (::pipe2(raw.data(), O_CLOEXEC) != 0) return false;
  ends[0] = Fd(raw[0]);
  ends[1] = Fd(raw[1]);
  return true;
}

bool is_executable(const std::string& path) {
  struct stat info {};
  return path.starts_with('/') && ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string why_no_program(const std::string& path) {
  if (!is_executable(path)) return "is no program that can be run";
  std::ifstream file(path, std::ios::binary);
  std::string line(kInterpreterBytes, '\0');
  file.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (!line.starts_with("#!")) return "";
  line = line.substr(2, line.find('\n') - 2);
  line.erase(0, line.find_first_not_of(" \t"));
  const std::string interpreter = line.substr(0, line.find_first_of(" \t"));
  if (!interpreter.starts_with('/')) return "";  // whatever becomes of that
  if (interpreter.ends_with('\r')) return "cannot be run: its lines end as on Windows";
  if (!is_executable(interpreter)) return "cannot be run: its interpreter " + interpreter + " is missing";
  return "";
}

namespace {

Failure failed(const Command& command, int error) {
  // The kernel says of a missing interpreter that the script is missing.
  const bool there = error == ENOENT && ::access(command.program.c_str(), F_OK) == 0;
  if (const auto why = there ? why_no_program(command.program) : std::string(); !why.empty())
    return {SP_E_IO, command.program + ": it " + why, error};
  return {SP_E_IO, command.program + ": " + std::strerror(error), error};
}

}  // namespace

struct Process::State {
  std::string program;
  Clock::time_point deadline;
  bool leave_others = false;
  std::size_t most_output = 0, read = 0;
  Spawned process;
  Fd output, input;
  std::string buffer;
  std::shared_ptr<void> place;
  std::optional<int> status;  // once it was waited for; the watchdog's until the watch is called off
  std::atomic<bool> late{false};
  std::optional<Watchdog::Watch> watch;

  bool has_ended() const {
    pollfd ended{process.handle.get(), POLLIN, 0};
    return ::poll(&ended, 1, 0) > 0;
  }
  // Of what has ended, or was killed.
  void reap_it() {
    // First the others: as long as it was not waited for, its group's number belongs to it.
    if (!leave_others) ::kill(-process.pid, SIGKILL);
    status = reap(process);
    place.reset();
  }
  Clock::time_point look();
};

// On the watchdog's thread: nobody else may, as long as a client takes its time.
Watchdog::Clock::time_point Process::State::look() {
  if (status) return Watchdog::kNever;
  if (has_ended()) {
    reap_it();
    return Watchdog::kNever;
  }
  const auto now = Clock::now();
  if (now < deadline) return std::min(deadline, now + kIdleLook);
  if (!late.exchange(true)) kill_all_of(process);
  return now + kLook;
}

Process::Process(std::unique_ptr<State> state) : state_(std::move(state)) {}

Outcome<std::unique_ptr<Process>> Process::start(Watchdog& dog, const Command& command, Clock::time_point deadline) {
  std::array<Fd, 2> out;
  std::array<Fd, 2> in;
  // Our ends must not block: a program that says nothing, or reads nothing, must not hold us.
  if (command.listens) {
    if (!open_pipe(in)) return failed(command, errno);
    ::fcntl(in[1].get(), F_SETFL, O_NONBLOCK);
  }
  if (command.writes) {
    if (!open_pipe(out)) return failed(command, errno);
    ::fcntl(out[0].get(), F_SETFL, O_NONBLOCK);
  }
  auto state = std::make_unique<State>();
  if (const int error = spawn(command, in[0].get(), out[1].get(), state->process); error != 0)
    return failed(command, error);
  state->program = command.program;
  state->deadline = deadline;
  state->leave_others = command.leave_others;
  state->most_output = command.most_output;
  state->output = std::move(out[0]);
  state->input = std::move(in[1]);
  state->place = command.place;
  auto process = std::unique_ptr<Process>(new Process(std::move(state)));
  const auto first = command.listens ? std::min(deadline, Clock::now() + kIdleLook) : deadline;
  process->state_->watch.emplace(dog, first, [raw = process->state_.get()] { return raw->look(); });
  return process;
}

Process::~Process() { kill(); }

void Process::kill() {
  state_->watch.reset();
  if (!state_->status) {
    kill_all_of(state_->process);
    state_->reap_it();
  }
  state_->output.reset();
  state_->input.reset();
}

Failure Process::kill_because(sp_status status, const std::string& why) {
  kill();
  return {status, state_->program + ": " + why, 0};
}

Outcome<bool> Process::wait_for(int descriptor, short what, const Cancelled& cancelled) {
  State& state = *state_;
  for (int patience = 0;; patience = static_cast<int>(kLook.count())) {
    std::array<pollfd, 2> both = {{{state.process.handle.get(), POLLIN, 0}, {descriptor, what, 0}}};
    const int count = ::poll(both.data(), both.size(), patience);
    const bool ended = count > 0 && both[0].revents != 0;
    // Whoever looks only after the deadline may find that it had ended long before.
    if (state.late || (!ended && Clock::now() >= state.deadline))
      return kill_because(SP_E_TIMED_OUT, "killed, it took too long");
    if (!ended && cancelled()) return kill_because(SP_E_CANCELLED, "killed, nobody waits for it any more");
    if (count > 0) return ended;
  }
}

Outcome<bool> Process::wait(const Cancelled& cancelled) {
  State& state = *state_;
  for (;;) {
    auto ended = wait_for(state.output.get(), POLLIN, cancelled);
    if (!ended) return ended.failure();
    bool said = false;
    while (state.output.get() >= 0) {
      std::array<char, 4096> part;
      const auto got = ::read(state.output.get(), part.data(), part.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) break;
      if (got == 0) {
        state.output.reset();
        break;
      }
      said = true;
      state.read += static_cast<std::size_t>(got);
      if (state.read > state.most_output) return kill_because(SP_E_INVALID, "killed, it says too much");
      state.buffer.append(part.data(), static_cast<std::size_t>(got));
    }
    if (said) return true;
    if (*ended) return false;
  }
}

Outcome<std::string> Process::finish(const Cancelled& cancelled) {
  for (;;) {
    auto more = wait(cancelled);
    if (!more) return more.failure();
    if (!*more) break;
  }
  State& state = *state_;
  state.watch.reset();
  if (!state.status) state.reap_it();
  const int status = *state.status;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::move(state.buffer);
  if (state.late) return Failure{SP_E_TIMED_OUT, state.program + ": killed, it took too long", 0};
  // Only a program that has run can have meant it.
  const bool meant = WIFEXITED(status) && WEXITSTATUS(status) != kNotExecutable && WEXITSTATUS(status) != kNotFound;
  const auto how = WIFEXITED(status) ? "ended with exit code " + std::to_string(WEXITSTATUS(status))
                                     : "was ended by signal " + std::to_string(WTERMSIG(status));
  return Failure{meant ? SP_E_DENIED : SP_E_IO, state.program + ": " + how, 0};
}

Outcome<std::optional<std::string>> Process::read_line(const Cancelled& cancelled) {
  State& state = *state_;
  for (bool more = true;;) {
    if (const auto end = state.buffer.find('\n'); end != std::string::npos) {
      auto line = state.buffer.substr(0, end);
      state.buffer.erase(0, end + 1);
      return std::optional(std::move(line));
    }
    if (!more && state.buffer.empty()) return std::optional<std::string>();
    if (!more) return std::optional(std::exchange(state.buffer, {}));
    auto waited = wait(cancelled);
    if (!waited) return waited.failure();
    more = *waited;
  }
}

Outcome<void> Process::write(std::string_view text, const Cancelled& cancelled) {
  const int input = state_->input.get();
  while (!text.empty() && input >= 0) {
    const auto done = ::write(input, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && errno != EAGAIN) return {};
    if (done > 0) text.remove_prefix(static_cast<std::size_t>(done));
    if (done > 0) continue;
    auto ended = wait_for(input, POLLOUT, cancelled);
    if (!ended) return ended.failure();
    if (*ended) return {};
  }
  return {};
}

}  // namespace hook_common
