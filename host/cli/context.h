// SPDX-License-Identifier: Apache-2.0
//
// What commands share: where the configuration is, and the parts that work without a server. Inside host/cli only.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "host/config/config.h"
#include "host/core/result.h"
#include "host/plugin/registry.h"
#include "host/users/store.h"

namespace host::cli {

struct ConfigFlags {
  std::string dir, file;  // SFTPGO_CONFIG_DIR, SFTPGO_CONFIG_FILE or their defaults until the command line is parsed

  ConfigFlags();
  void add_to(CLI::App& command);
  // Warnings go to standard error.
  core::Result<config::Config> load() const;
};

// An open account store; members are in the order in which they must be made.
struct Accounts {
  config::Config config;
  std::unique_ptr<plugin::Registry> registry;
  std::unique_ptr<users::Store> store;

  static core::Result<Accounts> open(const ConfigFlags& flags);
};

// Writes out what standard output still holds.
core::Result<void> flush_output();

// Tells the error on standard error; the exit code for it.
int fail(const core::Error& error);
int fail(const std::string& text);

}  // namespace host::cli
