// SPDX-License-Identifier: Apache-2.0
//
// `initprovider`: creates what the data provider needs. Harmless when it is there already.
#include <cstdlib>
#include <iostream>
#include <memory>

#include "host/app/settings.h"
#include "host/cli/commands.h"
#include "host/cli/context.h"

namespace host::cli {
namespace {

int initialise(const ConfigFlags& flags) {
  const auto config = flags.load();
  if (!config) return fail(config.error());
  const auto options = app::store_options(*config);
  if (!options) return fail(options.error());
  plugin::Registry registry(app::registry_options(*config));
  const auto created = users::Store::initialise(registry, *options);
  if (!created) return fail(created.error());
  std::cout << "data provider " << options->driver
            << (*created ? " is initialised\n" : " was initialised already, nothing was changed\n");
  return EXIT_SUCCESS;
}

}  // namespace

void add_provider_command(Commands& commands) {
  auto flags = std::make_shared<ConfigFlags>();
  auto& command = commands.add(commands.root(), "initprovider", "initialise the configured data provider",
                               [flags] { return initialise(*flags); });
  flags->add_to(command);
}

}  // namespace host::cli
