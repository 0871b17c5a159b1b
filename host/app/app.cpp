// SPDX-License-Identifier: Apache-2.0
//
// Owns every part of a running server on the main thread: built in order, taken down in reverse by leaving scopes.
// The main thread only waits while I/O threads and workers do the work. Knows no protocol.
#include "host/app/app.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include "host/admin/sessions.h"
#include "host/app/administration.h"
#include "host/app/files_limit.h"
#include "host/app/hooks.h"
#include "host/app/reload.h"
#include "host/app/settings.h"
#include "host/app/signals.h"
#include "host/app/start.h"
#include "host/app/version.h"
#include "host/auth/login_flow.h"
#include "host/config/config.h"
#include "host/core/limits.h"
#include "host/events/events.h"
#include "host/ssh/host_keys.h"
#include "host/ssh/server.h"
#include "host/vfs/quota.h"

namespace host::app {
namespace {

namespace log = core::log;

// What plugins get to let go after a stop, once transfers had their time, and after a second one.
constexpr auto kStopPatience = std::chrono::seconds(10);
constexpr auto kStopNowPatience = std::chrono::seconds(3);

void prepare_process() {
  ::umask(0);  // every file gets its mode from whoever makes it, sftpd.umask included
  ::signal(SIGPIPE, SIG_IGN);
  raise_files_limit();
}

// It may be the data provider that does not return. The process must end after this, what the thread uses may not.
void flush_within(vfs::Quotas& quotas, std::chrono::seconds patience) {
  const auto flushed = std::make_shared<std::promise<void>>();
  const auto done = flushed->get_future();
  try {
    std::thread([&quotas, flushed] {
      quotas.flush();
      flushed->set_value();
    }).detach();
  } catch (const std::system_error&) {  // no thread to be had
    return;
  }
  done.wait_for(patience);
}

core::Result<void> open_log(const ServeOptions& options) {
  auto to = options.log;
  if (to.path == "." || to.path == "..") to.path.clear();
  if (auto found = check_directory(options.config_dir); !found) return found;
  if (!to.path.empty()) to.path = (options.config_dir / to.path).string();
  return log::open(to);
}

core::Result<config::Config> load_config(const ServeOptions& options) {
  auto loaded = config::load(options.config_dir, options.config_file, environ);
  if (!loaded) return loaded.error();
  for (const auto& warning : loaded->warnings) log::warn("config", "", warning);
  return std::move(loaded->config);
}

vfs::UsageStore usage_store(users::Store& store) {
  return {.read = [&store](std::string_view username) { return store.usage(username); },
          .add =
              [&store](std::string_view username, const users::Usage& change) {
                using namespace std::chrono;
                const auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
                return store.add_usage(username, change, now);
              }};
}

void tell_settings(const config::Config& config, bool with_source) {
  if (with_source) {
    log::info("config", "",
              config.file.empty() ? "no configuration file, defaults are in force"
                                  : "configuration from " + config.file.string());
  }
  for (const auto& warning : action_warnings(config)) log::warn("config", "", warning);
  for (const auto& warning : unused_settings(config)) log::warn("config", "", warning);
}

core::Result<void> load_plugins(plugin::Registry& registry, const config::Config& config) {
  for (const auto& name : plugins_at_paths(config)) {
    if (auto loaded = registry.load(name); !loaded) return loaded.error();
  }
  for (const auto& name : storage_names(config)) {
    if (auto storage = registry.storage(name); !storage) return storage.error();
  }
  return core::ok();
}

core::Result<std::unique_ptr<users::Store>> open_store(plugin::Registry& registry, const config::Config& config) {
  const auto options = store_options(config);
  if (!options) return options.error();
  auto store = users::Store::open(registry, *options);
  if (store && options->driver == "memory" && !config.data_provider.name.empty()) {
    tell_accounts(**store, "accounts from " + config.resolve(config.data_provider.name).string());
  }
  return store;
}

void give_up() {
  log::error("service", "", "something does not return, a plugin most likely: the process ends without it");
  log::close();
}

core::Result<std::unique_ptr<ssh::Server>> make_server(const Start& start, const config::Config& config,
                                                       ssh::Services services) {
  auto options = server_options(config);
  if (!options) return options.error();
  if (start.adjust) start.adjust(*options);
  if (options->throwaway_host_keys) return ssh::Server::create(std::move(*options), services);
  auto keys = ssh::ensure_host_keys(config.dir, config.sftpd.keys);
  if (!keys) return keys.error();
  options->host_keys = std::move(*keys);
  return ssh::Server::create(std::move(*options), services);
}

}  // namespace

core::Result<void> run(const Start& start, Signals& signals) {
  log::info("service", "", "starting Sallyport " + version());
  const auto config = start.read_config();
  if (!config) return config.error();
  tell_settings(*config, start.tells_source);
  plugin::HostTables tables;
  auto plugins = registry_options(*config);
  plugins.host_extensions = tables.extensions();
  plugin::Registry registry(std::move(plugins));
  if (auto loaded = load_plugins(registry, *config); !loaded) return loaded.error();
  const auto store = open_store(registry, *config);
  if (!store) return store.error();
  const auto defence = defender_options(*config);
  if (!defence) return defence.error();
  auth::Defender defender(*defence);
  vfs::Quotas quotas(usage_store(**store), static_cast<vfs::Quotas::Track>(config->data_provider.track_quota));
  admin::Sessions sessions(core::limits::kMaxSessions);
  auto notifiers = make_notifiers(registry, *config);
  if (!notifiers) return notifiers.error();
  events::Events events(std::move(*notifiers), static_cast<std::size_t>(config->plugins.event_concurrency));
  Administration administration(tables, registry, **store, quotas, sessions, defender, events, *config);
  auth::Login login(**store, &defender);
  if (start.accounts) {
    if (auto prepared = start.accounts(**store, login); !prepared) return prepared.error();
  }
  auto plugins_at_login = make_authenticators(registry, *config);
  if (!plugins_at_login) return plugins_at_login.error();
  auth::Authenticators authenticators(**store, login, std::move(*plugins_at_login),
                                      static_cast<std::size_t>(config->plugins.login_concurrency));
  auth::LoginFlow logins(login, &authenticators);
  auto server = make_server(start, *config,
                            {&registry, &logins, &defender, &sessions, &quotas, &events, &(*store)->master_keys()});
  if (!server) return server.error();
  if (auto started = administration.start(); !started) return started.error();
  std::optional<Reloader> reloader;
  reloader.emplace(Reloader::Parts{store->get(), &defender, server->get(), &administration, start.read_config},
                   *config);
  const auto reload = [&] {
    if (start.reloads) reloader->request();
  };
  const auto stop = [&] {
    if (start.stop_asked) start.stop_asked();
    (*server)->stop();
  };
  signals.start({stop, reload},
                {std::chrono::seconds(config->sftpd.drain_timeout) + kStopPatience, kStopNowPatience, give_up});
  auto told = start.listening ? start.listening(**server, registry) : core::ok();
  if (!told) (*server)->stop();
  (*server)->run();
  if (start.stopped) start.stopped();
  signals.finish();
  reloader.reset();
  const bool administration_ended = administration.stop();
  server->reset();           // what its sessions still held is let go by the storages' workers, side by side
  registry.stop_storages();  // the last files are counted before the counters go
  events.stop();
  if (!administration_ended) {  // what its thread uses must not go, so neither may this function
    flush_within(quotas, kStopNowPatience);
    give_up();
    std::_Exit(EXIT_FAILURE);
  }
  return told;
}

int run_process(const std::function<core::Result<void>()>& open_log, const Start& start) {
  prepare_process();
  Signals signals;
  auto outcome = open_log();
  if (outcome) {
    outcome = run(start, signals);
    if (outcome) {
      log::info("service", "", "stopped");
    } else {
      log::error("service", "", outcome.error().message());
    }
    log::close();
  }
  if (outcome) return EXIT_SUCCESS;
  std::fprintf(stderr, "sallyport cannot start: %s\n", outcome.error().message().c_str());
  return EXIT_FAILURE;
}

int serve(const ServeOptions& options) {
  Start start;
  start.read_config = [&] { return load_config(options); };
  return run_process([&] { return open_log(options); }, start);
}

}  // namespace host::app
