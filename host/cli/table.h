// SPDX-License-Identifier: Apache-2.0
//
// Aligned columns for people.
#pragma once

#include <string>
#include <vector>

namespace host::cli {

// Rows of equal length, the first one the heading; two spaces between columns, none at the end of a line.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace host::cli
