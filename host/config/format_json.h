// SPDX-License-Identifier: Apache-2.0
//
// Files as trees, whatever their format: the rest of the loader sees only the tree. Another format is one more row of
// formats(); its reader turns text into the same tree.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "host/core/result.h"

namespace host::config {

using Tree = nlohmann::ordered_json;

struct Format {
  std::string_view extension;  // with the dot
  core::Result<Tree> (*parse)(std::string_view text);
};

std::span<const Format> formats();

// Where in a text what is wrong stands, for messages: "line 3, column 7". `offset` is that of the JSON library, from 1.
std::string place(std::string_view text, std::size_t offset);

// Errors name the file and, where the text is at fault, the line and column.
core::Result<Tree> read_tree(const std::filesystem::path& file);

}  // namespace host::config
