// SPDX-License-Identifier: Apache-2.0
//
// On a worker of its own, because files and providers may block. Nothing that is refused is taken over in part.
#include "host/app/reload.h"

#include <algorithm>

#include "host/app/hooks.h"
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

void tell_accounts(users::Store& store, const std::string& what) {
  const auto count = store.count();
  if (!count) {
    log::error("service", "", what + ", but cannot be read: " + count.error().message());
  } else if (count->unreadable == 0) {
    log::info("service", "", what + ": " + std::to_string(count->readable));
  } else {
    log::warn("service", "",
              what + ": " + std::to_string(count->readable) + "; further " + std::to_string(count->unreadable) +
                  " cannot be used, the lines above say why");
  }
}

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
  look_at_hooks();
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
  const auto waiting = config::changes(started_, config).needs_restart;
  const std::string taken_over = !live.empty()     ? "for new connections: " + joined(live)
                                 : waiting.empty() ? "no key has changed"
                                                   : "no key has changed that holds without a start";
  log::info("config", "", "the configuration was reloaded, " + taken_over);
  for (const auto key : waiting) {
    log::warn("config", "", std::string(key) + " has changed since the start and waits for the next start");
  }
  current_ = std::move(config);
}

// They hold until the next start, but the programs that they name may have changed.
void Reloader::look_at_hooks() {
  const auto problems = login_program_problems(started_);
  for (const auto& problem : problems) log::error("config", "", problem + "; logins that ask it are refused");
  for (const auto& problem : login_program_problems(current_)) {
    if (std::find(problems.begin(), problems.end(), problem) == problems.end())
      log::error("config", "", problem + "; the next start would fail");
  }
  for (const auto& warning : action_warnings(started_)) log::warn("config", "", warning);
}

void Reloader::reload_accounts() {
  const auto reloaded = parts_.store->reload();
  if (reloaded) {
    tell_accounts(*parts_.store, "accounts were reloaded");
  } else if (reloaded.error().status == core::Status::kUnsupported) {
    log::debug("service", "", "the data provider has nothing to reload");
  } else {
    log::error("service", "", "accounts could not be reloaded, the old ones stay: " + reloaded.error().message());
  }
}

}  // namespace host::app
