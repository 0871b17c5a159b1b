// SPDX-License-Identifier: Apache-2.0
//
// Which action belongs to which parsed command. Main thread, before anything else runs.
#include "host/cli/commands.h"

#include <cstdlib>
#include <iostream>
#include <utility>

namespace host::cli {
namespace {

const CLI::App& last_parsed(const CLI::App& root) {
  const CLI::App* command = &root;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().back();
  return *command;
}

}  // namespace

CLI::App& Commands::add_group(const std::string& name, const std::string& description) {
  auto& group = *root_.add_subcommand(name, description);
  group.require_subcommand(0, 1);  // with a maximum an account may be called like a command
  return group;
}

CLI::App& Commands::add(CLI::App& parent, const std::string& name, const std::string& description, Action action) {
  auto& command = *parent.add_subcommand(name, description);
  actions_[&command] = std::move(action);
  return command;
}

int Commands::act() const {
  const auto& command = last_parsed(root_);
  const auto action = actions_.find(&command);
  if (action != actions_.end()) return action->second();
  std::cout << help_of(command);
  return EXIT_SUCCESS;
}

std::string help_of(const CLI::App& command) {
  std::string above;
  for (const auto* group = command.get_parent(); group != nullptr; group = group->get_parent())
    above = group->get_name() + (above.empty() ? "" : " ") + above;
  return command.help(above);
}

std::string full_name(const CLI::App& root) {
  std::string name = root.get_name();
  for (const CLI::App* command = &root; !command->get_subcommands().empty();) {
    command = command->get_subcommands().back();
    name += " " + command->get_name();
  }
  return name;
}

}  // namespace host::cli
