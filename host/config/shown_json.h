// SPDX-License-Identifier: Apache-2.0
//
// What of a key's value may be printed. Pure; any thread.
#pragma once

#include <string>

#include "host/config/format_json.h"
#include "host/config/keys.h"

namespace host::config {

// As JSON, or "[redacted]" for secrets. Of a URL only the scheme and the server: the rest may be secrets, too.
std::string shown_value(const Key& key, const Tree& value);

}  // namespace host::config
