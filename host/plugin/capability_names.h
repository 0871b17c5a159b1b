// SPDX-License-Identifier: Apache-2.0
//
// What a mount can do, in words for operators. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "host/plugin/storage_types.h"

namespace host::plugin {

std::vector<std::string> capability_names(const FsCaps& caps);

}  // namespace host::plugin
