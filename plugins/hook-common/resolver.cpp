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
#include <utility>

namespace hook_common {
namespace {

using sallyport::Failure;
using sallyport::Outcome;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

constexpr std::size_t kMostAddresses = 8;

Outcome<Resolver::Addresses> ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  const std::unique_ptr<addrinfo, FreeAddresses> list(raw);
  Resolver::Addresses found;
  for (const int family : {AF_INET, AF_INET6}) {
    for (const addrinfo* each = raw; each != nullptr && found.size() < kMostAddresses; each = each->ai_next) {
      std::array<char, NI_MAXHOST> text{};
      if (each->ai_family == family &&
          ::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0)
        found.emplace_back(text.data());
    }
  }
  if (found.empty()) return Failure{SP_E_IO, ::gai_strerror(error != 0 ? error : EAI_NONAME), 0};
  return found;
}

}  // namespace

struct Resolver::Search {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Outcome<Addresses>> found;  // under mutex
};

Resolver::Resolver(LookUp look_up) : look_up_(look_up ? std::move(look_up) : LookUp(ask_system)) {}

std::shared_ptr<Resolver::Search> Resolver::join(const std::string& host) {
  const std::lock_guard lock(mutex_);
  std::erase_if(searches_, [](const auto& each) { return each.second.expired(); });
  auto& known = searches_[host];
  if (auto search = known.lock()) return search;
  auto search = std::make_shared<Search>();
  std::thread([search, host, look_up = look_up_] {
    ::pthread_setname_np(::pthread_self(), "resolve");
    Outcome<Addresses> found = Addresses();
    try {
      found = look_up(host);
    } catch (const std::exception& e) {  // short of memory
      found = Failure{SP_E_IO, e.what(), 0};
    }
    {
      const std::lock_guard done(search->mutex);
      search->found = std::move(found);
    }
    search->changed.notify_all();
  }).detach();
  known = search;
  return search;
}

Outcome<Resolver::Addresses> Resolver::find(const std::string& host, Watchdog::Clock::time_point deadline,
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
