// SPDX-License-Identifier: Apache-2.0
//
// A thread that looks at all deadlines once a second: there are never more connections than server threads.
#include "watch.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace admin_http {
Watch::Watch() : thread_([this] { run(); }) {}

Watch::~Watch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Watch::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, std::chrono::seconds(1));
    const auto now = Clock::now();
    for (auto* connection : connections_) {
      if (connection->deadline_ <= now) ::shutdown(connection->descriptor_, SHUT_RDWR);
    }
  }
}

std::vector<std::string> Watch::cut_all(Clock::time_point deadline, Clock::duration patience) {
  std::unique_lock lock(mutex_);
  cutting_ = true;
  for (auto* connection : connections_) {
    if (!connection->in_request_) ::shutdown(connection->descriptor_, SHUT_RDWR);
    connection->bound_last_answer();
  }
  fewer_.wait_until(lock, deadline, [this] { return connections_.empty(); });
  for (auto* connection : connections_) ::shutdown(connection->descriptor_, SHUT_RDWR);
  // Threads whose client is gone are on their way out, however long they wait for a processor.
  fewer_.wait_for(lock, patience, [this] {
    return std::all_of(connections_.begin(), connections_.end(), [](const auto* each) { return each->is_ours(); });
  });
  std::vector<std::string> left;
  for (const auto* connection : connections_) {
    if (!connection->is_ours()) {
      left.emplace_back("a connection that does not end");
      continue;
    }
    const auto time = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - connection->since_);
    left.push_back(connection->what_ + " for " + std::to_string(time.count()) + " s");
  }
  return left;
}

Watch::Connection::Connection(Watch& watch, int descriptor) : watch_(watch), descriptor_(::dup(descriptor)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category());
  const std::lock_guard lock(watch_.mutex_);
  watch_.connections_.insert(this);
  if (watch_.cutting_) ::shutdown(descriptor_, SHUT_RDWR);
}

Watch::Connection::~Connection() {
  {
    const std::lock_guard lock(watch_.mutex_);
    watch_.connections_.erase(this);
    watch_.fewer_.notify_all();
  }
  ::close(descriptor_);
}

void Watch::Connection::set(Clock::time_point deadline, bool in_request) {
  const std::lock_guard lock(watch_.mutex_);
  deadline_ = deadline;
  in_request_ = in_request;
  if (!watch_.cutting_) return;
  watch_.fewer_.notify_all();
  if (!in_request) ::shutdown(descriptor_, SHUT_RDWR);
  bound_last_answer();
}

// What we carry out has its own time: its thread is waited for in any case.
void Watch::Connection::bound_last_answer() {
  if (deadline_ != Clock::time_point::max()) deadline_ = std::min(deadline_, Clock::now() + limits::kLastAnswer);
}

void Watch::Connection::allow(Clock::duration time) { set(Clock::now() + time, false); }

bool Watch::Connection::allow_any_time(std::string what) {
  const std::lock_guard lock(watch_.mutex_);
  if (watch_.cutting_ && !in_request_) return false;
  what_ = std::move(what);
  since_ = Clock::now();
  rest_ = std::exchange(deadline_, Clock::time_point::max());
  in_request_ = true;
  if (watch_.cutting_) watch_.fewer_.notify_all();
  return true;
}

void Watch::Connection::allow_rest() { set(rest_, false); }

bool Watch::Connection::ending() const {
  const std::lock_guard lock(watch_.mutex_);
  return watch_.cutting_;
}

void Watch::Connection::allow_answer(Clock::duration time) { set(Clock::now() + time, true); }

}  // namespace admin_http
