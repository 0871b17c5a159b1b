// SPDX-License-Identifier: Apache-2.0
//
// Opening configuration and accounts for one command. Main thread; no server is running in this process.
#include "host/cli/context.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "host/app/settings.h"
#include "host/cli/environment.h"

namespace host::cli {

ConfigFlags::ConfigFlags()
    : dir(text_from_environment("SFTPGO_CONFIG_DIR", ".")), file(text_from_environment("SFTPGO_CONFIG_FILE", "")) {}

void ConfigFlags::add_to(CLI::App& command) {
  command.add_option(
      "-c,--config-dir", dir,
      "directory of the configuration file and base of relative paths (default: SFTPGO_CONFIG_DIR or .)");
  command.add_option(
      "-f,--config-file", file,
      "name of the configuration file without extension (default: SFTPGO_CONFIG_FILE or sallyport, then sftpgo)");
}

core::Result<config::Config> ConfigFlags::load() const {
  auto loaded = config::load(dir, file, environ);
  if (!loaded) return loaded.error();
  for (const auto& warning : loaded->warnings) std::cerr << "Warning: " << warning << "\n";
  // A file may have been found elsewhere, but all relative paths start here.
  if (auto there = app::check_directory(loaded->config.dir); !there) return there.error();
  return std::move(loaded->config);
}

core::Result<Accounts> Accounts::open(const ConfigFlags& flags) {
  auto config = flags.load();
  if (!config) return config.error();
  auto options = app::store_options(*config);
  if (!options) return options.error();
  Accounts accounts;
  accounts.config = std::move(*config);
  accounts.registry = std::make_unique<plugin::Registry>(app::registry_options(accounts.config));
  auto store = users::Store::open(*accounts.registry, *options);
  if (!store) return store.error();
  accounts.store = std::move(*store);
  return accounts;
}

core::Result<void> flush_output() {
  errno = 0;
  if (std::cout.flush()) return core::ok();
  const int reason = errno;  // none when an earlier piece has failed
  return core::Error(core::Status::kIo, std::string("standard output cannot be written") +
                                            (reason != 0 ? std::string(": ") + std::strerror(reason) : ""));
}

int fail(const core::Error& error) { return fail(error.message()); }

int fail(const std::string& text) {
  std::cerr << "Error: " << text << "\n";
  return EXIT_FAILURE;
}

}  // namespace host::cli
