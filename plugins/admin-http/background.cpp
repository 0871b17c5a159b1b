// SPDX-License-Identifier: Apache-2.0
//
// Linux has a nice value for each thread, although POSIX has one for each process; raising it needs no right. Not the
// highest one: on a machine that is busy all over an administrator must still get through, and what such a thread
// holds while it waits for a processor may be a lock of the data provider.
#include "background.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "http_limits.h"

namespace admin_http {

#ifdef __linux__
namespace {

// As sched_setattr(2) has it; the C library of Debian 12 does not.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t slice_ns = 0;  // of an ordinary thread since Linux 6.12: one that wakes up waits no longer for this one
  std::uint64_t deadline = 0, period = 0;
};

}  // namespace
#endif

void work_in_background() {
  thread_local bool done = false;  // a thread serves one connection after the other
  if (std::exchange(done, true)) return;
  ::pthread_setname_np(::pthread_self(), "http");
#ifdef __linux__
  SchedulingAttributes attributes;
  attributes.policy = SCHED_BATCH;  // it waits for whoever runs, however long it has slept
  attributes.nice = std::max(::getpriority(PRIO_PROCESS, 0), limits::kNice);  // nobody without the right takes one back
  attributes.slice_ns = static_cast<std::uint64_t>(limits::kSlice.count());
  if (::syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), attributes.nice);
  }
#endif
}

}  // namespace admin_http
