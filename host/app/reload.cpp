// SPDX-License-Identifier: Apache-2.0
//
// On a worker of its own, because files and providers may block. Nothing that is refused is taken over in part.
#include "host/app/reload.h"

#include <algorithm>

#include "host/app/settings.h"
#include "host/config/changes.h"
#include "host/core/log.h"

namespace host::app {
namespace {

namespace log = core::log;

std::string one_line(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;) text.replace(at, 1, "; ");
  return text;
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const auto word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

}  // namespace

Reloader::Reloader(Parts parts, config::Config started)
    : parts_(std::move(parts)), started_(std::move(started)), current_(started_) {}

void Reloader::request() {
  (void)worker_.submit([this] { run(); });
}

void Reloader::run() {
  // First, so that the new file tells of the rest.
  if (const auto opened = log::reopen(); !opened) {
    log::error("service", "", "the log goes on in its old file: " + opened.error().message());
  }
  reload_config();
  reload_accounts();
  parts_.administration->reload();
}

core::Result<Reloader::Settings> Reloader::read() const {
  auto config = parts_.read();
  if (!config) return config.error();
  // Without any file the defaults would hold, which nobody means who started with one.
  if (config->file.empty() && !started_.file.empty()) {
    return core::Error(core::Status::kNotFound, started_.file.string() + " is missing");
  }
  auto sessions = session_options(*config);
  if (!sessions) return sessions.error();
  auto defender = defender_options(*config);
  if (!defender) return defender.error();
  return Settings{std::move(*config), std::move(*sessions), std::move(*defender)};
}

void Reloader::reload_config() {
  auto settings = read();
  if (!settings) {
    log::error("config", "",
               "the configuration was not reloaded, the old one stays: " + one_line(settings.error().message()));
    return;
  }
  auto& [config, sessions, defender] = *settings;
  parts_.server->set_session_options(std::move(sessions));
  parts_.defender->set_options(std::move(defender));
  const auto live = config::changes(current_, config).live;
  log::info("config", "",
            live.empty() ? "the configuration was reloaded"
                         : "the configuration was reloaded, for new connections: " + joined(live));
  for (const auto key : config::changes(started_, config).needs_restart) {
    log::warn("config", "", std::string(key) + " has changed: it waits for the next start");
  }
  current_ = std::move(config);
}

void Reloader::reload_accounts() {
  const auto reloaded = parts_.store->reload();
  if (reloaded) {
    log::info("service", "", "accounts were reloaded");
  } else if (reloaded.error().status == core::Status::kUnsupported) {
    log::debug("service", "", "the data provider has nothing to reload");
  } else {
    log::error("service", "", "accounts could not be reloaded: " + reloaded.error().message());
  }
}

}  // namespace host::app
