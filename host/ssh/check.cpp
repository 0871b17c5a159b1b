// SPDX-License-Identifier: Apache-2.0
//
// Sets the options on a bind that never listens. One thread, no server around. Must not touch the network.
#include "host/ssh/check.h"

#include "host/ssh/algorithms.h"
#include "host/ssh/handles.h"

namespace host::ssh {

core::Result<void> check_options(const ServerOptions& options) {
  const BindPtr bind(ssh_bind_new());
  return apply({options.kex, options.ciphers, options.macs}, bind.get());
}

}  // namespace host::ssh
