// SPDX-License-Identifier: Apache-2.0
//
// Linux has a nice value for each thread, although POSIX has one for each process; raising it needs no right. What such
// a thread holds while it waits for a processor is a lock of the data provider for a moment at most: where its
// turns are short, so are the gaps between them.
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
  // A nice value is taken back by nobody without the right to, so the higher one comes last.
  const int at_first = std::max(::getpriority(PRIO_PROCESS, 0), limits::kNiceWithLongTurns);
  SchedulingAttributes attributes;
  attributes.policy = SCHED_BATCH;  // it waits for whoever runs, however long it has slept
  attributes.nice = at_first;
  attributes.slice_ns = static_cast<std::uint64_t>(limits::kSlice.count());
  if (::syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), at_first);
    return;
  }
  // Older kernels give such a thread long turns and then long gaps, too long for what it may hold meanwhile.
  SchedulingAttributes now;
  const bool known = ::syscall(SYS_sched_getattr, 0, &now, sizeof now, 0) == 0;
  if (!known || now.slice_ns != attributes.slice_ns) return;
  attributes.nice = limits::kNice;
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
#endif
}

}  // namespace admin_http
