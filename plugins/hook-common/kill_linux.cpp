// SPDX-License-Identifier: Apache-2.0
//
// The end of a process and of what it has started. Children are found from their parents, so they are stopped before
// any parent dies; one whose parent has ended before, and which is in no group of ours, cannot be found. Linux.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "hook-common/spawn.h"

namespace hook_common {
namespace {

constexpr int kRounds = 8;                // they may go on starting others until they have stopped
constexpr std::size_t kMostOthers = 256;  // outside of the group
constexpr auto kPatience = std::chrono::milliseconds(1000);

void send(int handle, int signal) { ::syscall(SYS_pidfd_send_signal, handle, signal, nullptr, 0); }

pid_t parent_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos || text.size() < end_of_name + 4) return -1;
  return std::atoi(text.c_str() + end_of_name + 4);  // behind the state, one letter
}

void add_children(pid_t parent, std::vector<Spawned>& found) {
  std::error_code failed;
  const std::filesystem::path tasks = "/proc/" + std::to_string(parent) + "/task";
  for (std::filesystem::directory_iterator task(tasks, failed), end; !failed && task != end; task.increment(failed)) {
    std::ifstream in(task->path() / "children");
    for (pid_t pid = 0; in >> pid && found.size() < kMostOthers;) {
      if (std::ranges::find(found, pid, &Spawned::pid) != found.end()) continue;
      Spawned child{pid, Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))};
      // Only now is the number sure to be its own.
      if (child.handle.get() >= 0 && parent_of(pid) == parent) found.push_back(std::move(child));
    }
  }
}

struct Left {
  std::mutex mutex;
  std::vector<pid_t> pids;  // under mutex; those that outlived a SIGKILL
};

// Never destroyed: it may be needed until the end.
Left& left() {
  static Left& left = *new Left;
  return left;
}

}  // namespace

void kill_all_of(const Spawned& process) {
  ::kill(-process.pid, SIGSTOP);
  send(process.handle.get(), SIGSTOP);
  std::vector<Spawned> others;
  for (int round = 0; round < kRounds; ++round) {
    const auto known = others.size();
    add_children(process.pid, others);
    for (std::size_t i = 0; i < others.size(); ++i) add_children(others[i].pid, others);
    if (others.size() == known) break;
    for (std::size_t i = known; i < others.size(); ++i) send(others[i].handle.get(), SIGSTOP);
  }
  ::kill(-process.pid, SIGKILL);
  send(process.handle.get(), SIGKILL);  // it may have left its own group
  for (const auto& other : others) send(other.handle.get(), SIGKILL);
}

int reap(const Spawned& process) {
  pollfd ended{process.handle.get(), POLLIN, 0};
  ::poll(&ended, 1, static_cast<int>(kPatience.count()));
  int status = SIGKILL;
  auto& others = left();
  const std::lock_guard lock(others.mutex);
  if (::waitpid(process.pid, &status, WNOHANG) == 0) others.pids.push_back(process.pid);
  std::erase_if(others.pids, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  return status;
}

}  // namespace hook_common
