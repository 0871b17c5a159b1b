// SPDX-License-Identifier: Apache-2.0
//
// posix_spawn, a pidfd to wait for the end, and poll over both. A program is over when its first process is: children
// that it has left behind with its output open are not waited for. `/bin/sh` sets the umask, because the server's own
// is 0, and becomes the program. Linux.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "hook-common/fd.h"
#include "hook-common/process.h"

extern char** environ;

namespace hook_common {
namespace {

using sallyport::Failure;
using sallyport::Outcome;

constexpr std::size_t kInterpreterBytes = 256;  // of a script's first line, as Linux has it

struct Actions {
  posix_spawn_file_actions_t raw;
  Actions() { posix_spawn_file_actions_init(&raw); }
  ~Actions() { posix_spawn_file_actions_destroy(&raw); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
};

struct Attributes {
  posix_spawnattr_t raw;
  Attributes() {
    posix_spawnattr_init(&raw);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&raw, &none);
    posix_spawnattr_setsigdefault(&raw, &all);
    posix_spawnattr_setpgroup(&raw, 0);
    posix_spawnattr_setflags(&raw, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { posix_spawnattr_destroy(&raw); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
};

// Variables that are keys of the server's configuration, secrets among them. Those that hooks know have no "__".
bool is_configuration(std::string_view entry) {
  const auto name = entry.substr(0, entry.find('='));
  return name.starts_with("SFTPGO_") && name.find("__") != std::string_view::npos;
}

// The server's environment, but for its configuration, with ours on top.
std::vector<std::string> environment(const Command& command) {
  std::vector<std::string> out;
  const auto is_ours = [&](std::string_view entry) {
    for (const auto& [name, value] : command.variables) {
      if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') return true;
    }
    return false;
  };
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!is_ours(*entry) && !is_configuration(*entry)) out.emplace_back(*entry);
  }
  for (const auto& [name, value] : command.variables) out.push_back(name + "=" + value);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

bool open_pipe(std::array<Fd, 2>& ends) {
  std::array<int, 2> raw{};
  if (::pipe2(raw.data(), O_CLOEXEC) != 0) return false;
  ends[0] = Fd(raw[0]);
  ends[1] = Fd(raw[1]);
  return true;
}

Failure failed(const Command& command, int error) {
  return {SP_E_IO, command.program + ": " + std::strerror(error), error};
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

struct Process::State {
  std::string program;
  Clock::time_point deadline;
  bool leave_others = false;
  std::size_t most_output = 0, read = 0;
  pid_t pid = -1;
  Fd ended, output, input;
  std::string buffer;
  std::optional<int> status;  // once it was waited for
  std::atomic<bool> late{false};
  std::optional<Watchdog::Watch> watch;
};

Process::Process(std::unique_ptr<State> state) : state_(std::move(state)) {}

Outcome<std::unique_ptr<Process>> Process::start(Watchdog& dog, const Command& command, Clock::time_point deadline) {
  if (::access(command.program.c_str(), X_OK) != 0) return failed(command, errno);
  std::array<Fd, 2> out;
  std::array<Fd, 2> in;
  Actions actions;
  // Our ends must not block: a program that says nothing, or reads nothing, must not hold us.
  if (command.listens) {
    if (!open_pipe(in)) return failed(command, errno);
    ::fcntl(in[1].get(), F_SETFL, O_NONBLOCK);
    posix_spawn_file_actions_adddup2(&actions.raw, in[0].get(), STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions.raw, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  if (command.writes) {
    if (!open_pipe(out)) return failed(command, errno);
    ::fcntl(out[0].get(), F_SETFL, O_NONBLOCK);
    posix_spawn_file_actions_adddup2(&actions.raw, out[1].get(), STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions.raw, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  }
  posix_spawn_file_actions_addopen(&actions.raw, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions.raw, STDERR_FILENO + 1);
  const Attributes attributes;
  std::vector<std::string> words = {"sh", "-c", "umask " + command.umask + "; exec \"$0\" \"$@\"", command.program};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  auto variables = environment(command);
  // Of this thread, which does not need them: they are what a new program inherits, and no program is the server.
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  auto state = std::make_unique<State>();
  const int error = ::posix_spawn(&state->pid, "/bin/sh", &actions.raw, &attributes.raw, pointers(words).data(),
                                  pointers(variables).data());
  if (error != 0) return failed(command, error);
  state->program = command.program;
  state->deadline = deadline;
  state->leave_others = command.leave_others;
  state->most_output = command.most_output;
  state->output = std::move(out[0]);
  state->input = std::move(in[1]);
  state->ended = Fd(static_cast<int>(::syscall(SYS_pidfd_open, state->pid, 0)));  // glibc 2.36 declares it for C only
  auto process = std::unique_ptr<Process>(new Process(std::move(state)));
  if (process->state_->ended.get() < 0) return failed(command, errno);
  // Called off before the process is waited for, so that its number still is its own.
  process->state_->watch.emplace(dog, deadline, [raw = process->state_.get()] {
    pollfd ended{raw->ended.get(), POLLIN, 0};
    const bool in_time = ::poll(&ended, 1, 0) > 0;
    if (!in_time) raw->late = true;
    if (!in_time || !raw->leave_others) ::kill(-raw->pid, SIGKILL);
    return Watchdog::kNever;
  });
  return process;
}

Process::~Process() { kill(); }

void Process::kill() {
  state_->watch.reset();
  if (!state_->status) {
    ::kill(-state_->pid, SIGKILL);
    int status = 0;
    while (::waitpid(state_->pid, &status, 0) < 0 && errno == EINTR) {}
    state_->status = status;
  }
  state_->output.reset();
  state_->input.reset();
}

Outcome<bool> Process::wait(const Cancelled& cancelled) {
  State& state = *state_;
  const auto fail = [&](sp_status status, const std::string& why) {
    kill();
    return Failure{status, state.program + ": " + why, 0};
  };
  for (;;) {
    std::array<pollfd, 2> what = {{{state.ended.get(), POLLIN, 0}, {state.output.get(), POLLIN, 0}}};
    const int count = ::poll(what.data(), what.size(), static_cast<int>(kLook.count()));
    const bool ended = count > 0 && what[0].revents != 0;
    // Whoever looks only after the deadline may find that it had ended long before.
    if (state.late || (!ended && Clock::now() >= state.deadline))
      return fail(SP_E_TIMED_OUT, "killed, it took too long");
    if (!ended && cancelled()) return fail(SP_E_CANCELLED, "killed, nobody waits for it any more");
    if (count <= 0) continue;
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
      if (state.read > state.most_output) return fail(SP_E_INVALID, "killed, it says too much");
      state.buffer.append(part.data(), static_cast<std::size_t>(got));
    }
    if (said) return true;
    if (ended) return false;
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
  // First the others: as long as it was not waited for, its group's number belongs to it.
  if (!state.leave_others) ::kill(-state.pid, SIGKILL);
  int status = 0;
  while (::waitpid(state.pid, &status, 0) < 0 && errno == EINTR) {}
  state.status = status;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::move(state.buffer);
  if (state.late) return Failure{SP_E_TIMED_OUT, state.program + ": killed, it took too long", 0};
  const auto how = WIFEXITED(status) ? "ended with exit code " + std::to_string(WEXITSTATUS(status))
                                     : "was ended by signal " + std::to_string(WTERMSIG(status));
  return Failure{SP_E_DENIED, state.program + ": " + how, 0};
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

void Process::write(std::string_view text) {
  while (!text.empty() && state_->input.get() >= 0) {
    const auto done = ::write(state_->input.get(), text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return;
    text.remove_prefix(static_cast<std::size_t>(done));
  }
}

}  // namespace hook_common
