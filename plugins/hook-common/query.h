// SPDX-License-Identifier: Apache-2.0
//
// Queries of URLs. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hook_common {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// `url` with `added` in its query: those that are there stay, all of them sorted by name, percent-encoded, blanks as
// '+'.
std::string with_query(std::string_view url, Pairs added);

}  // namespace hook_common
