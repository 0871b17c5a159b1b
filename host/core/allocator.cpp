// SPDX-License-Identifier: Apache-2.0
//
// glibc learns from the first large piece that is freed to keep such pieces, in a heap for each thread: the parts of
// a file on its way to an object store (8 MiB each) then stay behind many times over. Block keeps what is needed often.
#include "host/core/allocator.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace host::core {

void return_large_memory() {
#ifdef __GLIBC__
  constexpr int kLargeBytes = 1024 * 1024;
  ::mallopt(M_MMAP_THRESHOLD, kLargeBytes);
#endif
}

}  // namespace host::core
