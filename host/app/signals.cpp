// SPDX-License-Identifier: Apache-2.0
//
// A thread in sigwait: no handler, hence nothing that must be async-signal-safe. Knows nothing of what is stopped.
#include "host/app/signals.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
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
  // What log rotation scripts of other servers send must not end this one.
  for (const int number : {SIGUSR1, SIGUSR2}) std::signal(number, SIG_IGN);
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

void Signals::start(Actions actions, Patience patience) {
  const std::lock_guard lock(mutex_);
  actions_ = std::move(actions);
  patience_ = std::move(patience);
  thread_ = std::thread([this] { run(); });
}

void Signals::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  actions_ = {};
}

// The next signal, or 0 when patience is at its end.
int Signals::next() {
  const auto set = our_signals();
  int number = 0;
  if (end_by_ == Clock::time_point::max()) return sigwait(&set, &number) == 0 ? number : next();
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(end_by_ - Clock::now()).count();
  if (left <= 0) return 0;
  constexpr std::int64_t kSecond = 1'000'000'000;
  const timespec wait{static_cast<time_t>(left / kSecond), static_cast<long>(left % kSecond)};
  number = sigtimedwait(&set, nullptr, &wait);
  return number > 0 ? number : next();
}

void Signals::give_up() {
  if (patience_.give_up) patience_.give_up();
  std::_Exit(EXIT_FAILURE);
}

void Signals::on_stop() {
  ++stops_;
  if (stops_ > 2) give_up();
  const auto patience = stops_ == 1 ? patience_.stopping : patience_.stopping_now;
  end_by_ = std::min(end_by_, Clock::now() + patience);
  if (!finished_) actions_.stop();
}

void Signals::run() {
  core::set_thread_name("signals");
  for (;;) {
    const int number = next();
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    if (number == 0) give_up();
    if (number != SIGHUP) {
      on_stop();
    } else if (actions_.reload) {
      actions_.reload();
    }
  }
}

}  // namespace host::app
