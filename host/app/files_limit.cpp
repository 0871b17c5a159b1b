// SPDX-License-Identifier: Apache-2.0
//
// What programs get is remembered, because the process has one limit only.
#include "host/app/files_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>

namespace host::app {
namespace {

constexpr rlim_t kMost = 1 << 30;  // no limit at all is a number that settings cannot hold

std::atomic<std::uint64_t> at_start = 0;  // 0: not raised yet

}  // namespace

std::uint64_t files_limit_at_start() {
  if (const auto known = at_start.load(); known != 0) return known;
  rlimit files{};
  return ::getrlimit(RLIMIT_NOFILE, &files) == 0 ? std::min(files.rlim_cur, kMost) : 0;
}

void raise_files_limit() {
  at_start = files_limit_at_start();
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace host::app
