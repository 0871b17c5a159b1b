// SPDX-License-Identifier: Apache-2.0
//
// Asks each part for its opinion and goes on after the first complaint. One thread, no server around.
#include "host/app/check.h"

#include "host/app/hooks.h"
#include "host/app/settings.h"
#include "host/ssh/check.h"
#include "host/ssh/host_keys.h"

namespace host::app {

std::vector<std::string> check(const config::Config& config) {
  std::vector<std::string> problems;
  const auto note = [&](const auto& result) {
    if (!result) problems.push_back(result.error().message());
  };
  plugin::Registry registry(registry_options(config));
  for (const auto& name : plugins_at_paths(config)) note(registry.load(name));
  const auto store = store_options(config);
  note(store);
  note(check_database_file(config));
  if (store && store->driver == "memory") {
    note(users::Store::open(registry, *store));  // reads its file and writes nothing
  } else if (store) {
    note(users::MasterKeys::open(store->master_keys));
    note(registry.make_provider("provider-" + store->driver, store->provider_config_json));
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
  return problems;
}

}  // namespace host::app
