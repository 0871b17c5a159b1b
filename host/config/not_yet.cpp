// SPDX-License-Identifier: Apache-2.0
//
// One row per missing feature: whoever builds it deletes the row. Start-up only.
#include "host/config/not_yet.h"

#include <algorithm>
#include <iterator>

namespace host::config {
namespace {

// A missing one would let in whom it should keep out or break a promise about files.
constexpr std::string_view kRefused[] = {
    "sftpd.keyboard_interactive_auth_program",
    "data_provider.external_auth_program",
    "data_provider.pre_login_program",
};

// A missing one is missed, no more.
constexpr std::string_view kWarned[] = {
    "sftpd.actions.execute_on",
    "data_provider.actions.execute_on",
};

}  // namespace

void check_not_yet(const Config& config, std::string_view where, Findings& findings) {
  const Config defaults;
  const auto changed = [&](std::string_view path) {
    const Key* key = find_key(path);
    return key != nullptr && value_text(config, *key) != value_text(defaults, *key);
  };
  const std::string start = where.empty() ? "" : std::string(where) + ": ";
  for (const auto path : kRefused) {
    if (changed(path)) {
      findings.problems.push_back(start + std::string(path) +
                                  " asks for something this version cannot do yet; allowed is " +
                                  value_text(defaults, *find_key(path)));
    }
  }
  for (const auto path : kWarned) {
    if (changed(path)) findings.warnings.push_back(start + std::string(path) + " has no effect in this version");
  }
}

std::string_view not_yet_note(std::string_view path) {
  const auto holds = [&](const auto& rows) {
    return std::find(std::begin(rows), std::end(rows), path) != std::end(rows);
  };
  if (holds(kRefused)) return "**Not in this version**, which accepts only the default.";
  if (holds(kWarned)) return "**No effect in this version.**";
  return {};
}

}  // namespace host::config
