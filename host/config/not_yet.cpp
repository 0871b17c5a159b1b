// SPDX-License-Identifier: Apache-2.0
//
// One row per missing feature: whoever builds it deletes the row. Start-up only.
#include "host/config/not_yet.h"

#include <algorithm>
#include <iterator>

namespace host::config {
namespace {

constexpr std::string_view kMissingCommands[] = {"git-receive-pack", "git-upload-pack", "git-upload-archive", "rsync"};

}  // namespace

void check_not_yet(const Config& config, std::string_view where, Findings& findings) {
  const std::string start = where.empty() ? "" : std::string(where) + ": ";
  for (const auto& command : config.sftpd.enabled_ssh_commands) {
    if (std::find(std::begin(kMissingCommands), std::end(kMissingCommands), command) != std::end(kMissingCommands))
      findings.warnings.push_back(start + "sftpd.enabled_ssh_commands: this version does not have " + command);
  }
}

}  // namespace host::config
