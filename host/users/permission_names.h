// SPDX-License-Identifier: Apache-2.0
//
// Rights as words: "list", "download", ..., and "*" for all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace host::users {

std::optional<std::uint32_t> permission_bits(std::string_view name);
// {"*"} when all are set.
std::vector<std::string_view> permission_names(std::uint32_t bits);

}  // namespace host::users
