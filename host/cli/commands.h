// SPDX-License-Identifier: Apache-2.0
//
// The tree of commands with what each does. Inside host/cli only.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>

namespace host::cli {

class Commands {
 public:
  using Action = std::function<int()>;

  explicit Commands(CLI::App& root) : root_(root) {}

  CLI::App& root() { return root_; }
  // A command that only has subcommands; given alone it shows its help.
  CLI::App& add_group(const std::string& name, const std::string& description);
  CLI::App& add(CLI::App& parent, const std::string& name, const std::string& description, Action action);
  // Does what the parsed command line asks for.
  int act() const;

 private:
  CLI::App& root_;
  std::map<const CLI::App*, Action> actions_;
};

// "sallyport user add": the command that was parsed last.
std::string full_name(const CLI::App& root);

// Its help with the names of what it belongs to.
std::string help_of(const CLI::App& command);

void add_serve_command(Commands& commands);
void add_provider_command(Commands& commands);
void add_user_commands(Commands& commands);
void add_plugin_commands(Commands& commands);
void add_check_command(Commands& commands);
void add_portable_command(Commands& commands);

}  // namespace host::cli
