// SPDX-License-Identifier: Apache-2.0
//
// Host keys for one run, in memory only.
#pragma once

#include <libssh/server.h>

#include <vector>

#include "host/core/result.h"
#include "host/ssh/host_keys.h"

namespace host::ssh {

// ECDSA P-256 and Ed25519: RSA takes seconds to make. [setup]
core::Result<std::vector<PublicHostKey>> add_throwaway_keys(ssh_bind bind);

}  // namespace host::ssh
