// SPDX-License-Identifier: Apache-2.0
//
// The one place that knows which protocol serves which command.
#include "host/ssh/command.h"

#include <algorithm>
#include <utility>

#include "host/commands/channel.h"
#include "host/commands/program_channel.h"
#include "host/core/log.h"
#include "host/core/shell_words.h"
#include "host/scp/channel.h"

namespace host::ssh {
namespace {

Command refuse(const vfs::SessionFs& fs, const std::string& line, const char* why) {
  core::log::info("ssh", fs.identity().connection_id, "command \"" + line + "\" was refused: " + why);
  return {};
}

}  // namespace

Command start_command(const std::string& line, const std::vector<std::string>& enabled,
                      const std::shared_ptr<commands::Programs>& programs, const std::shared_ptr<vfs::SessionFs>& fs,
                      core::Channel::Hooks hooks) {
  auto words = core::split_shell_words(line);
  if (!words || words->empty()) return refuse(*fs, line, "it cannot be understood");
  const std::string& name = words->front().text;
  const auto enables = [&](std::string_view each) { return std::ranges::find(enabled, each) != enabled.end(); };
  if (!enables(name) && !enables("*")) return refuse(*fs, line, "it is not in sftpd.enabled_ssh_commands");
  if (name == "scp") {
    auto arguments = scp::parse_arguments(*words);
    if (!arguments) return refuse(*fs, line, "these arguments are none of the remote side of scp");
    arguments->line = line;
    return {scp::make_channel(vfs::SessionFs::for_protocol(fs, "SCP"), std::move(*arguments), std::move(hooks)), "SCP"};
  }
  if (commands::is_program(name)) {
    auto view = vfs::SessionFs::for_protocol(fs, "SSH");
    return {commands::make_program_channel(programs, std::move(view), line, std::move(*words), std::move(hooks)),
            "SSH"};
  }
  if (!commands::knows(name)) return refuse(*fs, line, "this version does not have it");
  return {commands::make_channel(vfs::SessionFs::for_protocol(fs, "SSH"), line, std::move(*words), std::move(hooks)),
          "SSH"};
}

}  // namespace host::ssh
