// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace bench::client {

// Tells whoever started us that everything is connected (one JSON line on stdout).
void announce_ready();
// True when stdin brought a byte or ended, false when the time was over first.
bool wait_for_stdin(double seconds);
// Runs task(0..count-1) on `parallel` threads; the first exception stops the hand-out and is thrown here.
void run_parallel(unsigned count, unsigned parallel, const std::function<void(unsigned)>& task);

}  // namespace bench::client
