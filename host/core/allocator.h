// SPDX-License-Identifier: Apache-2.0
//
// What the C library does with memory that is given back.
#pragma once

namespace host::core {

// Before other threads start: from now on every large piece of memory returns to the system as soon as it is freed.
void return_large_memory();

}  // namespace host::core
