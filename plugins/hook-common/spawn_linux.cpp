// SPDX-License-Identifier: Apache-2.0
//
// posix_spawn by hand, because that has neither umask nor resource limits, and a shell in between would cost as much as
// the program. The child borrows our memory, and this thread stands still, until it is another program (CLONE_VFORK).
// So it makes system calls only; raw ones where a sanitizer would take them for ours. Linux 5.9.
#include "hook-common/spawn.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

extern char** environ;

#if defined(__SANITIZE_THREAD__)
// That sanitizer takes every child of clone for a fork, and the process for one that must start no thread any more.
extern "C" int __clone(int (*)(void*), void*, int, void*, ...) noexcept;
#define clone __clone
#endif

#define SALLYPORT_ON_ANOTHER_STACK __attribute__((no_sanitize("address", "thread", "undefined")))

namespace hook_common {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;
constexpr int kSignals = 64;  // of the kernel
constexpr int kNoProgram = 127;

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

struct Plan {
  char** words = nullptr;  // of the program; those of the shell have one more in front
  char** shell_words = nullptr;
  char** variables = nullptr;
  std::array<int, 3> descriptors{};
  mode_t umask = 0;
  rlimit files{};
  int error = 0;
};

// What the server ignores would stay ignored.
SALLYPORT_ON_ANOTHER_STACK void reset_signals() {
  std::array<unsigned long, 4> as_before_any{};  // the kernel's struct sigaction, of all zeros
  for (int number = 1; number <= kSignals; ++number)
    ::syscall(SYS_rt_sigaction, number, as_before_any.data(), nullptr, kSignals / 8);
  const unsigned long none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kSignals / 8);
}

SALLYPORT_ON_ANOTHER_STACK bool place_descriptors(const Plan& plan) {
  for (int number = 0; number < 3; ++number) {
    const int from = plan.descriptors[static_cast<std::size_t>(number)];
    const long done = from == number ? ::syscall(SYS_fcntl, from, F_SETFD, 0) : ::syscall(SYS_dup3, from, number, 0);
    if (done < 0) return false;
  }
  return ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0;
}

SALLYPORT_ON_ANOTHER_STACK int become(void* raw) {
  auto& plan = *static_cast<Plan*>(raw);
  const rlimit no_core{0, 0};  // its environment may hold a password
  // Ambient capabilities are what a new program inherits, and no program is the server.
  ::syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  ::syscall(SYS_umask, plan.umask);
  ::syscall(SYS_prlimit64, 0, RLIMIT_CORE, &no_core, nullptr);
  ::syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &plan.files, nullptr);
  if (::syscall(SYS_setpgid, 0, 0) == 0 && place_descriptors(plan)) {
    reset_signals();
    ::syscall(SYS_execve, plan.words[0], plan.words, plan.variables);
    // A script without a first line of its own is one for the shell, as everywhere.
    if (errno == ENOEXEC) ::syscall(SYS_execve, plan.shell_words[0], plan.shell_words, plan.variables);
  }
  plan.error = errno;
  ::syscall(SYS_exit_group, kNoProgram);
  return 0;
}

rlimit files_limit(const Command& command) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (command.open_files != 0) limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, command.open_files);
  return limit;
}

}  // namespace

int spawn(const Command& command, int input, int output, Spawned& spawned) {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (null.get() < 0) return errno;
  std::vector<std::string> words = {"/bin/sh", command.program};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  auto variables = environment(command);
  auto all_words = pointers(words);
  auto all_variables = pointers(variables);
  Plan plan;
  plan.words = all_words.data() + 1;
  plan.shell_words = all_words.data();
  plan.variables = all_variables.data();
  plan.descriptors = {input < 0 ? null.get() : input, output < 0 ? null.get() : output, null.get()};
  plan.umask = static_cast<mode_t>(std::strtoul(command.umask.c_str(), nullptr, 8)) & 0777;
  plan.files = files_limit(command);
  const std::unique_ptr<std::byte[]> stack(new std::byte[kStackBytes]);
  // No handler of ours may run in the child.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int handle = -1;
  const pid_t pid = clone(become, stack.get() + kStackBytes - kStackBytes % 16,
                          CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &plan, &handle);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return error;
  spawned.pid = pid;
  spawned.handle = Fd(handle);
  if (plan.error == 0) return 0;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
  return plan.error;
}

}  // namespace hook_common
