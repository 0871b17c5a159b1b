// SPDX-License-Identifier: Apache-2.0
//
// Checks values and stores them in a Config. Problems are collected, so that one run shows them all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/config/config.h"
#include "host/config/format_json.h"
#include "host/config/keys.h"

namespace host::config {

struct Findings {
  std::vector<std::string> problems;  // stop the start
  std::vector<std::string> warnings;
};

// Walks a file's tree; names of keys match in any case. `where` names the file.
void assign_tree(Config& config, const Tree& tree, std::string_view where, Findings& findings);
void assign_value(Config& config, const Key& key, const Tree& value, std::string_view where, Findings& findings);

// A key's present value as JSON text; secrets are the caller's business.
std::string value_text(const Config& config, const Key& key);

// "unknown key X", with the known key or section that X most resembles if one comes close.
std::string unknown(std::string_view what, std::string_view path);

}  // namespace host::config
