// SPDX-License-Identifier: Apache-2.0
//
// One thread in poll. It stops the server by the signal that everybody else would send, so that there is one way to
// stop. Knows nothing of the server.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "host/app/ending.h"
#include "host/core/worker_pool.h"

namespace host::app {
namespace {

using Clock = std::chrono::steady_clock;

// poll takes no more than an int of milliseconds; -1 waits for ever.
int patience(Clock::time_point end) {
  if (end == Clock::time_point::max()) return -1;
  constexpr std::int64_t kDay = 24L * 60 * 60 * 1000;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, kDay));
}

// False at its end, or when it cannot be read at all.
bool discard_input() {
  std::array<char, 4096> ignored;
  const auto count = ::read(STDIN_FILENO, ignored.data(), ignored.size());
  return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace

Ending::Ending(std::chrono::milliseconds after, bool with_stdin) {
  if (after.count() == 0 && !with_stdin) return;
  if (::pipe2(wake_, O_CLOEXEC) != 0) return;
  thread_ = std::thread([this, after, with_stdin] { watch(after, with_stdin); });
}

Ending::~Ending() {
  if (!thread_.joinable()) return;
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
}

void Ending::watch(std::chrono::milliseconds after, bool with_stdin) const {
  core::set_thread_name("ending");
  const auto end = after.count() == 0 ? Clock::time_point::max() : Clock::now() + after;
  std::array<pollfd, 2> watched = {{{wake_[0], POLLIN, 0}, {with_stdin ? STDIN_FILENO : -1, POLLIN, 0}}};
  for (;;) {
    const int ready = ::poll(watched.data(), watched.size(), patience(end));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0 || watched[0].revents != 0) return;
    const bool parent_gone = watched[1].revents != 0 && !discard_input();
    if (!parent_gone && Clock::now() < end) continue;
    ::kill(::getpid(), SIGTERM);
    return;
  }
}

}  // namespace host::app
