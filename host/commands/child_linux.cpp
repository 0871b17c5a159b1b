// SPDX-License-Identifier: Apache-2.0
//
// As posix_spawn does it, which knows neither Landlock nor other owners: the child shares our memory and this thread
// sleeps until the program runs, so a large process is not copied. The child makes system calls only, those that change
// its owner directly, since the C library would carry them to all our threads.
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "host/commands/child.h"
#include "host/commands/confinement.h"
#include "host/commands/limits.h"

#if defined(__clang__) || defined(__GNUC__)
#define SALLYPORT_ON_ANOTHER_STACK __attribute__((no_sanitize("address", "thread", "undefined")))
#endif

#if defined(__SANITIZE_THREAD__)
// That sanitizer takes every child of clone for a fork: it forgets what it knows of the calling thread, and lets the
// process start no thread any more.
extern "C" int __clone(int (*)(void*), void*, int, void*, ...) noexcept;
#define clone __clone
#endif

namespace host::commands {
namespace {

using core::Error;
using core::Result;
using core::Status;

constexpr int kCannotRun = 127;
// Steps whose failure is the system's or the operator's choice.
constexpr const char* kViewStep = "a view of the file system of its own (as root, or by name spaces of users)";
constexpr const char* kOwnerStep = "becoming the account's uid and gid";

// What the child needs, made before it is there; and why it could not run the program.
struct Start {
  const char* file;
  char* const* words;
  char* const* environment;
  std::array<int, 3> ends;
  const Confinement* confinement;
  std::uint32_t uid, gid, umask;
  const char* step;
  int error;
};

SALLYPORT_ON_ANOTHER_STACK bool failed(Start& start, const char* step, long result) {
  if (result == 0) return false;
  start.step = step;
  start.error = result < 0 ? errno : static_cast<int>(result);
  return true;
}

// Handlers are ours and would run in the child. What is ignored stays so over exec.
SALLYPORT_ON_ANOTHER_STACK void forget_handlers() {
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &plain, nullptr);
}

// Whoever may not become the owner does not run the program as somebody else. An unprivileged server may be the owner.
SALLYPORT_ON_ANOTHER_STACK bool become_owner(Start& start) {
  constexpr auto kKeep = core::Attrs::kKeep;
  const bool other_uid = start.uid != kKeep && start.uid != ::geteuid();
  const bool other_gid = start.gid != kKeep && start.gid != ::getegid();
  if (!other_uid && !other_gid) return true;
  if (failed(start, kOwnerStep, ::syscall(SYS_setgroups, 0, nullptr))) return false;
  if (start.gid != kKeep && failed(start, kOwnerStep, ::syscall(SYS_setresgid, start.gid, start.gid, start.gid)))
    return false;
  return start.uid == kKeep || !failed(start, kOwnerStep, ::syscall(SYS_setresuid, start.uid, start.uid, start.uid));
}

SALLYPORT_ON_ANOTHER_STACK int run_child(void* argument) {
  Start& start = *static_cast<Start*>(argument);
  forget_handlers();
  if (failed(start, "setpgid", ::setpgid(0, 0))) return kCannotRun;
  // All above 2 (start_child): none is overwritten before its turn.
  for (int i = 0; i < 3; ++i) {
    if (::dup2(start.ends[static_cast<std::size_t>(i)], i) != i) return failed(start, "dup2", -1), kCannotRun;
  }
  constexpr unsigned kOnExec = 4;  // CLOSE_RANGE_CLOEXEC
  ::syscall(SYS_close_range, 3, ~0U, kOnExec);
  ::umask(static_cast<mode_t>(start.umask));
  const rlimit no_core{};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (failed(start, kViewStep, start.confinement->view()) || !become_owner(start)) return kCannotRun;
  // They would outlive exec and the change of the owner: a program gets none of the server's privileges.
  if (failed(start, "prctl", ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))) return kCannotRun;
  if (failed(start, "prctl", ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))) return kCannotRun;
  if (failed(start, "Landlock", start.confinement->close())) return kCannotRun;
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(start.file, start.words, start.environment);
  failed(start, "exec", -1);
  return kCannotRun;
}

struct Pipe {
  UniqueFd ours, theirs;
};

// Numbers above 2, so that the child can put its ends where they belong in any order.
bool open_pipe(Pipe& pipe, bool we_write) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  UniqueFd read(ends[0]), write(ends[1]);
  pipe.ours = std::move(we_write ? write : read);
  const UniqueFd theirs = std::move(we_write ? read : write);
  pipe.theirs = UniqueFd(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, 3));
  return pipe.theirs && ::fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK) == 0;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const auto& text : texts) all.push_back(const_cast<char*>(text.c_str()));  // NOLINT: execve's type
  all.push_back(nullptr);
  return all;
}

Error system_error(const std::string& what, int error) {
  return {Status::kIo, what + ": " + std::strerror(error), error};
}

// Signals wait meanwhile: a handler must not run on the child's stack, in memory that is ours.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Result<Child> start_child(const ChildPlan& plan) {
  auto confinement = Confinement::prepare(plan);
  if (!confinement) return confinement.error();
  Pipe in, out, err;
  if (!open_pipe(in, true) || !open_pipe(out, false) || !open_pipe(err, false)) return system_error("pipe", errno);
  const auto words = pointers(plan.words);
  const auto environment = pointers(plan.environment);
  Start start{plan.file.c_str(),
              words.data(),
              environment.data(),
              {in.theirs.get(), out.theirs.get(), err.theirs.get()},
              &*confinement,
              plan.uid,
              plan.gid,
              plan.umask,
              "",
              0};
  const auto stack = std::make_unique<std::byte[]>(limits::kProgramStack);
  int pidfd = -1;
  pid_t pid = -1;
  int clone_error = 0;
  {
    const NoSignals quiet;
    pid = clone(&run_child, stack.get() + limits::kProgramStack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start,
                &pidfd);
    clone_error = errno;
  }
  if (pid < 0) return system_error("clone", clone_error);
  Child child;
  child.pid = pid;
  child.pidfd = UniqueFd(pidfd);
  if (start.error != 0) {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED);
    auto error = system_error(plan.file + ": " + start.step, start.error);
    if (start.step == kViewStep || start.step == kOwnerStep) error.status = Status::kUnsupported;
    return error;
  }
  child.in = std::move(in.ours);
  child.out = std::move(out.ours);
  child.err = std::move(err.ours);
  return child;
}

std::string find_program(std::string_view name) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nothing changes it
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const std::string directory(rest.substr(0, colon));
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
    if (!directory.starts_with('/')) continue;
    const std::string file = directory + "/" + std::string(name);
    struct stat st {};
    if (::stat(file.c_str(), &st) == 0 && S_ISREG(st.st_mode) && ::access(file.c_str(), X_OK) == 0) {
      const std::unique_ptr<char, decltype(&std::free)> real(::realpath(file.c_str(), nullptr), &std::free);
      return real ? std::string(real.get()) : std::string();
    }
  }
  return {};
}

}  // namespace host::commands
