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

void look_at_tables(plugin::Registry& registry, const users::StoreOptions& options, Checked& checked) {
  const auto old = users::Store::look(registry, options);
  if (!old) {
    checked.problems.push_back(old.error().message());
  } else if (*old) {
    checked.notes.push_back("data provider " + options.driver +
                            ": the tables are of an older version, the start brings them up to date");
  }
}

// Accounts in memory are this process's own: reading them all changes nothing.
void look_at_accounts(plugin::Registry& registry, users::StoreOptions options, Checked& checked) {
  options.master_keys = {};
  const auto store = users::Store::open(registry, options);
  const auto count = store ? (*store)->count() : store.error();
  if (!count) {
    checked.problems.push_back(count.error().message());
  } else if (count->unreadable > 0) {
    checked.notes.push_back("data provider " + options.driver + ": " + std::to_string(count->unreadable) +
                            " accounts cannot be used, the lines above say why");
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
    if (store->driver == "memory") {
      look_at_accounts(registry, *store, checked);
    } else {
      look_at_tables(registry, *store, checked);
    }
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
