// SPDX-License-Identifier: Apache-2.0
//
// The pool is given one and the same job for each that waits: whose turn it is, is settled when a thread is free.
#include "host/auth/hashing.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "host/auth/auth_limits.h"
#include "host/auth/defender.h"
#include "host/core/limits.h"

namespace host::auth {
namespace {

// One core stays for those who transfer files.
std::size_t threads() {
  const std::size_t cores = std::max(std::thread::hardware_concurrency(), 2u);
  return std::min(cores - 1, kMaxHashThreads);
}

std::string turn_of(std::string_view client_ip) {
  const auto address = users::parse_ip(client_ip);
  return address ? network_of(*address) : std::string(client_ip);
}

}  // namespace

Hashing::Hashing() : pool_("passwords", threads(), core::limits::kAuthPoolQueue) {}

bool Hashing::submit(std::string_view client_ip, const std::string& username, Job job) {
  const auto client = turn_of(client_ip);
  const std::lock_guard lock(mutex_);
  if (!pool_.submit([this] { run_next(); })) return false;
  clients_.of(client).of(username).push_back(std::move(job));
  return true;
}

void Hashing::run_next() {
  Job job;
  {
    const std::lock_guard lock(mutex_);
    job = clients_.next([](Names& names) {
      return names.next([](std::deque<Job>& jobs) {
        auto first = std::move(jobs.front());
        jobs.pop_front();
        return first;
      });
    });
  }
  job();
}

}  // namespace host::auth
