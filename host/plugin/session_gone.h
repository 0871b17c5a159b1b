// SPDX-License-Identifier: Apache-2.0
//
// Is there still somebody who waits for what is done in the name of a session? Any thread.
#pragma once

#include <cstdint>

namespace host::plugin {

bool session_gone(std::uint64_t session_id);

}  // namespace host::plugin
