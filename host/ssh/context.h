// SPDX-License-Identifier: Apache-2.0
//
// What every session of a server shares; held by each of them, so that it outlives the last.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "host/core/limits.h"
#include "host/ssh/handles.h"
#include "host/ssh/places.h"
#include "host/ssh/server.h"

namespace host::ssh {

struct Context {
  ServerOptions options;
  Services services;
  BindPtr bind;
  std::mutex bind_mutex;  // ssh_bind_accept_fd is not safe for several threads
  std::atomic<std::size_t> sessions{0};
  Places before_login{core::limits::kMaxUnauthenticatedSessions};
  std::atomic<std::uint64_t> next_session{1};
};

}  // namespace host::ssh
