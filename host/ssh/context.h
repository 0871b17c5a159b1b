// SPDX-License-Identifier: Apache-2.0
//
// What every session of a server shares; held by each of them, so that it outlives the last.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "host/commands/programs.h"
#include "host/core/limits.h"
#include "host/ssh/handles.h"
#include "host/ssh/places.h"
#include "host/ssh/server.h"

namespace host::ssh {

class Context {
 public:
  std::shared_ptr<const SessionOptions> session_options() const {
    const std::lock_guard lock(session_options_mutex_);
    return session_options_;
  }
  void set_session_options(SessionOptions changed) {
    auto made = std::make_shared<const SessionOptions>(std::move(changed));
    const std::lock_guard lock(session_options_mutex_);
    session_options_ = std::move(made);
  }

  ServerOptions options;
  Services services;
  const std::shared_ptr<commands::Programs> programs = std::make_shared<commands::Programs>();
  BindPtr bind;
  std::vector<PublicHostKey> throwaway_host_keys;
  std::mutex bind_mutex;  // ssh_bind_accept_fd is not safe for several threads
  std::atomic<std::size_t> sessions{0};
  Places before_header{core::limits::kMaxAwaitingProxyHeader};
  Places before_login{core::limits::kMaxUnauthenticatedSessions};
  Places mounting{core::limits::kMaxSessions};  // by user
  std::atomic<std::uint64_t> next_session{1};

 private:
  mutable std::mutex session_options_mutex_;
  std::shared_ptr<const SessionOptions> session_options_ = std::make_shared<const SessionOptions>();
};

}  // namespace host::ssh
