// SPDX-License-Identifier: Apache-2.0
//
// What the commands share: the hand-shake with the harness over stdin and stdout, and a small thread fan-out.
#include "bench/client/control.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace bench::client {

void announce_ready() {
  std::puts(R"({"event":"ready"})");
  std::fflush(stdout);
}

bool wait_for_stdin(double seconds) {
  pollfd fd{STDIN_FILENO, POLLIN, 0};
  if (poll(&fd, 1, static_cast<int>(seconds * 1000)) <= 0) {
    return false;
  }
  char byte = 0;
  const ssize_t got = read(STDIN_FILENO, &byte, 1);
  return got >= 0;
}

void run_parallel(unsigned count, unsigned parallel, const std::function<void(unsigned)>& task) {
  std::atomic<unsigned> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < parallel; i++) {
    threads.emplace_back([&] {
      for (unsigned index = next++; index < count; index = next++) {
        try {
          task(index);
        } catch (...) {
          const std::scoped_lock lock(mutex);
          error = error ? error : std::current_exception();
          next = count;
        }
      }
    });
  }
  threads.clear();
  if (error) {
    std::rethrow_exception(error);
  }
}

}  // namespace bench::client
