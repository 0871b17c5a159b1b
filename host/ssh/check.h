// SPDX-License-Identifier: Apache-2.0
//
// Would the server take these options? For checks without a start.
#pragma once

#include "host/core/result.h"
#include "host/ssh/server.h"

namespace host::ssh {

// Asks the library about the algorithms; host keys are host_keys.h's, addresses and ports only show when they are used.
core::Result<void> check_options(const ServerOptions& options);

}  // namespace host::ssh
