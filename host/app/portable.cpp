// SPDX-License-Identifier: Apache-2.0
//
// The usual start with another source of configuration and accounts. Main thread; advertising is a service plugin's and
// starts when everything else works.
#include "host/app/portable.h"

#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "host/app/ending.h"
#include "host/app/start.h"
#include "host/app/version.h"
#include "host/users/password.h"
#include "host/users/secrets.h"

namespace host::app {
namespace {

constexpr auto kStorePatience = std::chrono::seconds(10);
constexpr auto kStorePause = std::chrono::seconds(2);  // for a call to see that its time is over
constexpr std::string_view kAdvertiser = "advertise-mdns";
// What the replaced system chooses from.
constexpr int kFirstRandomPort = 49152, kLastRandomPort = 64151;

class Portable {
 public:
  explicit Portable(const PortableOptions& options) : options_(options) {}

  core::Result<void> add_account(users::Store& store, auth::Login& login) const;
  void adjust(ssh::ServerOptions& server) const;
  core::Result<void> listening(const ssh::Server& server, plugin::Registry& registry);
  void stopped();

 private:
  core::Result<void> ask_store(plugin::Registry& registry) const;
  core::Result<void> advertise(std::uint16_t port, plugin::Registry& registry);

  const PortableOptions& options_;
  std::thread advertising_;
  std::unique_ptr<plugin::Service> advertiser_;  // that thread's, until it is joined
  std::optional<Ending> ending_;
};

core::Result<void> Portable::add_account(users::Store& store, auth::Login& login) const {
  auto account = options_.account;
  if (!account.password.empty()) {
    auto hash = users::hash_throwaway_password(account.password);
    if (!hash) return hash.error();
    login.expect(*hash);
    account.password = std::move(*hash);
  }
  auto added = store.add(std::move(account));
  if (!added) return added.error();
  if (options_.any_credentials) login.let_everybody_in(added->username);
  return core::ok();
}

void Portable::adjust(ssh::ServerOptions& server) const {
  server.throwaway_host_keys = options_.config.sftpd.keys.empty();
  server.random_port_first = kFirstRandomPort;
  server.random_port_last = kLastRandomPort;
}

// The root is listed, for each operation of a client needs that right. What it is that does not answer may hold it.
core::Result<void> list_root(plugin::Storage& storage, plugin::MountArgs args) {
  const auto deadline = std::chrono::steady_clock::now().time_since_epoch() + kStorePatience;
  const plugin::Op op{.deadline_ns = std::chrono::nanoseconds(deadline).count()};
  const auto fs = storage.mount(op, std::move(args));
  if (!fs) return fs.error();
  const auto root = (*fs)->open_dir(op, {});
  return root ? core::ok() : root.error();
}

core::Result<void> Portable::ask_store(plugin::Registry& registry) const {
  const auto& account = options_.account;
  const auto& backend = account.filesystem.backend;
  auto settings = users::plain_settings(account, registry, nullptr);
  if (!settings) return settings.error();
  const auto storage = registry.storage(backend);
  if (!storage) return storage.error();
  plugin::MountArgs args;
  args.user = account.username;
  args.root = account.home_dir;
  args.settings_json = std::move(*settings);
  const auto answer = std::make_shared<std::promise<core::Result<void>>>();
  auto answered = answer->get_future();
  const bool asked =
      (*storage)->pool().submit([storage = *storage, args, answer] { answer->set_value(list_root(*storage, args)); });
  const bool in_time = asked && answered.wait_for(kStorePatience + kStorePause) == std::future_status::ready;
  const auto done = in_time ? answered.get() : core::Error(core::Status::kTimedOut);
  if (done) return done;
  const auto status = done.error().status;
  const bool silent = status == core::Status::kTimedOut || status == core::Status::kCancelled;
  return core::Error(
      status, options_.store + (silent ? ": no answer within " + std::to_string(kStorePatience.count()) + " seconds"
                                       : " cannot be listed: " + done.error().message()));
}

core::Result<void> Portable::listening(const ssh::Server& server, plugin::Registry& registry) {
  if (!options_.store.empty()) {
    if (auto good = ask_store(registry); !good) return good;
  }
  if (auto told = options_.listening({server.port(), server.throwaway_host_keys()}); !told) return told;
  ending_.emplace(options_.exit_after, options_.with_parent);
  if (!options_.advertise) return core::ok();
  // A daemon that does not answer must not hold up who connects.
  advertising_ = std::thread([this, port = server.port(), &registry] {
    const auto done = advertise(port, registry);
    if (!done) std::fprintf(stderr, "Warning: the service is not advertised: %s\n", done.error().message().c_str());
  });
  return core::ok();
}

void Portable::stopped() {
  ending_.reset();
  if (advertising_.joinable()) advertising_.join();
  advertiser_.reset();
}

core::Result<void> Portable::advertise(std::uint16_t port, plugin::Registry& registry) {
  auto text = nlohmann::ordered_json::array({"version=" + version()});
  if (options_.advertise_credentials) {
    text.push_back("user=" + options_.account.username);
    if (!options_.account.password.empty()) text.push_back("password=" + options_.account.password);
  }
  const nlohmann::ordered_json settings = {{"name", "Sallyport portable " + std::to_string(port)},
                                           {"type", "_sftp-ssh._tcp"},
                                           {"port", port},
                                           {"text", std::move(text)}};
  auto service = registry.make_service(kAdvertiser,
                                       settings.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace),
                                       "--advertise-service");
  if (!service) return service.error();
  advertiser_ = std::move(*service);
  return advertiser_->start();
}

core::Result<void> open_portable_log(const PortableOptions& options) {
  core::log::Options nowhere;
  nowhere.path = "/dev/null";
  nowhere.verbose = false;
  return core::log::open(options.log.value_or(nowhere));
}

}  // namespace

int portable(const PortableOptions& options) {
  Portable mode(options);
  Start start;
  start.read_config = [&]() -> core::Result<config::Config> { return options.config; };
  start.tells_source = false;
  start.reloads = false;
  start.accounts = [&](users::Store& store, auth::Login& login) { return mode.add_account(store, login); };
  start.adjust = [&](ssh::ServerOptions& server) { mode.adjust(server); };
  start.listening = [&](const ssh::Server& server, plugin::Registry& registry) {
    return mode.listening(server, registry);
  };
  start.stopped = [&] { mode.stopped(); };
  return run_process([&] { return open_portable_log(options); }, start);
}

}  // namespace host::app
