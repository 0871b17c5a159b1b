// SPDX-License-Identifier: Apache-2.0
//
// Linux has a nice value for each thread, although POSIX has one for each process; raising it needs no right. What such
// a thread holds while it waits for a processor is a lock of the data provider for a moment at most.
#include "background.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

#include "http_limits.h"

namespace admin_http {

void work_in_background() {
  thread_local bool done = false;  // a thread serves one connection after the other
  if (std::exchange(done, true)) return;
  ::pthread_setname_np(::pthread_self(), "http");
#ifdef __linux__
  const auto thread = static_cast<id_t>(::gettid());
  ::setpriority(PRIO_PROCESS, thread, ::getpriority(PRIO_PROCESS, thread) + limits::kNice);
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);  // it waits for whoever runs, however long it has slept
#endif
}

}  // namespace admin_http
