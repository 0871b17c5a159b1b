// SPDX-License-Identifier: Apache-2.0
//
// A detached thread per look-up, shared by all who want to know the same: when a name server does not answer, it is one
// thread that hangs, not every worker of the host. Linux.
#include "hook-common/resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <optional>
#include <system_error>
#include <thread>

namespace hook_common {
namespace {

using sallyport::Failure;
using sallyport::Outcome;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

Outcome<std::string> ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* raw = nullptr;
  int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  const std::unique_ptr<addrinfo, FreeAddresses> list(raw);
  const addrinfo* best = nullptr;
  for (const addrinfo* each = raw; each != nullptr; each = each->ai_next) {
    if (best == nullptr || (best->ai_family != AF_INET && each->ai_family == AF_INET)) best = each;
  }
  std::array<char, NI_MAXHOST> text{};
  if (error == 0 && best != nullptr)
    error = ::getnameinfo(best->ai_addr, best->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  if (error != 0 || best == nullptr) return Failure{SP_E_IO, ::gai_strerror(error != 0 ? error : EAI_NONAME), 0};
  return std::string(text.data());
}

}  // namespace

struct Resolver::Search {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Outcome<std::string>> found;  // under mutex
};

Resolver::Resolver() : look_up_(ask_system) {}

std::shared_ptr<Resolver::Search> Resolver::join(const std::string& host) {
  const std::lock_guard lock(mutex_);
  auto& known = searches_[host];
  if (auto search = known.lock()) return search;
  auto search = std::make_shared<Search>();
  std::thread([search, host, look_up = look_up_] {
    ::pthread_setname_np(::pthread_self(), "resolve");
    auto found = look_up(host);
    {
      const std::lock_guard done(search->mutex);
      search->found = std::move(found);
    }
    search->changed.notify_all();
  }).detach();
  known = search;
  return search;
}

Outcome<std::string> Resolver::find(const std::string& host, Watchdog::Clock::time_point deadline,
                                    const Cancelled& cancelled) {
  std::shared_ptr<Search> search;
  try {
    search = join(host);
  } catch (const std::system_error& error) {
    return Failure{SP_E_IO, host + ": no thread to look it up: " + error.what(), 0};
  }
  std::unique_lock lock(search->mutex);
  while (!search->found) {
    const auto now = Watchdog::Clock::now();
    if (now >= deadline) return Failure{SP_E_TIMED_OUT, host + ": its address was not found in time", 0};
    if (cancelled()) return Failure{SP_E_CANCELLED, host + ": nobody waits for its address any more", 0};
    search->changed.wait_until(lock, std::min(deadline, now + kLook));
  }
  if (!*search->found)
    return Failure{search->found->failure().status, host + ": " + search->found->failure().message, 0};
  return **search->found;
}

}  // namespace hook_common
