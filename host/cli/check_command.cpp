// SPDX-License-Identifier: Apache-2.0
//
// `check-config`: would a start succeed, what is in force, what can be set.
#include <cstdlib>
#include <iostream>
#include <memory>

#include "host/app/check.h"
#include "host/app/hooks.h"
#include "host/app/settings.h"
#include "host/cli/commands.h"
#include "host/cli/context.h"
#include "host/config/reference.h"

namespace host::cli {
namespace {

struct CheckFlags {
  ConfigFlags config;
  bool print = false, reference = false;
};

int check(const CheckFlags& flags) {
  if (flags.reference) {
    std::cout << config::reference_page();
    return EXIT_SUCCESS;
  }
  const auto config = flags.config.load();
  if (!config) return fail(config.error());
  if (flags.print) std::cout << config::values_in_force(*config);
  for (const auto& warning : app::action_warnings(*config)) std::cerr << "Warning: " << warning << "\n";
  for (const auto& warning : app::unused_settings(*config)) std::cerr << "Warning: " << warning << "\n";
  const auto checked = app::check(*config);
  for (const auto& problem : checked.problems) fail(problem);
  if (!checked.problems.empty()) return EXIT_FAILURE;
  for (const auto& note : checked.notes) std::cout << "Note: " << note << "\n";
  std::cout << "configuration is good: " << (config->file.empty() ? "no file, defaults" : config->file.string())
            << "\n";
  return EXIT_SUCCESS;
}

}  // namespace

void add_check_command(Commands& commands) {
  auto flags = std::make_shared<CheckFlags>();
  auto& command =
      commands.add(commands.root(), "check-config", "check configuration, plugins and database without starting",
                   [flags] { return check(*flags); });
  flags->config.add_to(command);
  command.add_flag("--print", flags->print, "show every key with its value, changed ones marked with *");
  command.add_flag("--reference", flags->reference, "write the reference of all keys as Markdown");
}

}  // namespace host::cli
