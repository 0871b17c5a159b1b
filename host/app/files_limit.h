// SPDX-License-Identifier: Apache-2.0
//
// How many files may be open: many for the server, whose sessions need descriptors, and no more than before for
// programs that it starts, which may use select.
#pragma once

#include <cstdint>

namespace host::app {

// Up to the hard limit. At the start, once.
void raise_files_limit();
// The soft limit that the server was started with.
std::uint64_t files_limit_at_start();

}  // namespace host::app
