// SPDX-License-Identifier: Apache-2.0
//
// Everything that is counted, in the form of "host.info/1". Any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "host/admin/sessions.h"
#include "host/plugin/registry.h"

namespace host::admin {

nlohmann::ordered_json metrics_to_json(bool provider_available, const Sessions& sessions,
                                       const plugin::Registry& registry, std::size_t scans_running);

}  // namespace host::admin
