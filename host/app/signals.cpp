// SPDX-License-Identifier: Apache-2.0
//
// A thread in sigwait: no handler, hence nothing that must be async-signal-safe. Knows nothing of what is stopped.
#include "host/app/signals.h"

#include <pthread.h>
#include <signal.h>

#include <cstdlib>
#include <utility>

#include "host/core/worker_pool.h"

namespace host::app {
namespace {

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  return set;
}

}  // namespace

Signals::Signals() {
  const auto set = our_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Signals::~Signals() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    pthread_kill(thread_.native_handle(), SIGHUP);
    thread_.join();
  }
  const auto set = our_signals();
  // One that came while the thread ended is still pending, and would end the process once it is let through.
  const timespec at_once{};
  while (sigtimedwait(&set, nullptr, &at_once) > 0) continue;
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Signals::start(Actions actions) {
  const std::lock_guard lock(mutex_);
  actions_ = std::move(actions);
  thread_ = std::thread([this] { run(); });
}

void Signals::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  actions_ = {};
}

void Signals::run() {
  core::set_thread_name("signals");
  const auto set = our_signals();
  for (;;) {
    int number = 0;
    if (sigwait(&set, &number) != 0) continue;
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    if (number == SIGHUP) {
      if (actions_.reload) actions_.reload();
    } else if (finished_) {
      std::_Exit(EXIT_FAILURE);
    } else {
      actions_.stop();
    }
  }
}

}  // namespace host::app
