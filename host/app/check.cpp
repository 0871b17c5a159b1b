// SPDX-License-Identifier: Apache-2.0
//
// Asks each part for its opinion and goes on after the first complaint. One thread, no server around.
#include "host/app/check.h"

#include "host/app/hooks.h"
#include "host/app/settings.h"
#include "host/ssh/check.h"
#include "host/ssh/host_keys.h"

namespace host::app {

namespace {

// A start does not ask for the storages of accounts, only their logins do.
void look_at_accounts(plugin::Registry& registry, const users::StoreOptions& options, Checked& checked) {
  const auto looked = users::Store::look(registry, options);
  if (!looked) {
    checked.problems.push_back(looked.error().message());
    return;
  }
  const auto note = [&](const std::string& text) { checked.notes.push_back("data provider " + options.driver + text); };
  if (looked->old_tables) note(": the tables are of an older version, the start brings them up to date");
  if (const auto unusable = looked->accounts.unreadable; unusable > 0)
    note(": " + std::to_string(unusable) + " accounts cannot be used, the lines above say why");
  for (const auto& wrong : looked->wrong_settings) note(": " + wrong);
  for (const auto& name : looked->accounts.storages) {
    if (const auto storage = registry.storage(name); !storage)
      note(": accounts with files on " + name + " cannot log in: " + storage.error().message());
  }
}

}  // namespace

Checked check(const config::Config& config) {
  Checked checked;
  const auto note = [&](const auto& result) {
    if (!result) checked.problems.push_back(result.error().message());
  };
  plugin::Registry registry(registry_options(config));
  for (const auto& name : plugins_at_paths(config)) note(registry.load(name));
  const auto store = store_options(config);
  note(store);
  if (store) {
    note(users::MasterKeys::open(store->master_keys));
    look_at_accounts(registry, *store, checked);
  }
  for (const auto& name : storage_names(config)) note(registry.storage(name));
  const auto server = server_options(config);
  note(server);
  if (server) note(ssh::check_options(*server));
  note(defender_options(config));
  note(check_directory(config.dir));
  note(ssh::check_host_keys(config.dir, config.sftpd.keys));
  note(make_authenticators(registry, config));
  note(make_notifiers(registry, config));
  if (config.httpd.bind_port != 0) {
    const auto http = http_settings(config);
    note(http);
    if (http) note(registry.make_service(kHttpPlugin, *http, "httpd"));
  }
  return checked;
}

}  // namespace host::app
