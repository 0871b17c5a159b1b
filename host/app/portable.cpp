// SPDX-License-Identifier: Apache-2.0
//
// The usual start with another source of configuration and accounts. Main thread; advertising is a service plugin's and
// starts when everything else works.
#include "host/app/portable.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "host/app/ending.h"
#include "host/app/start.h"
#include "host/app/version.h"
#include "host/plugin/authenticator.h"
#include "host/users/password.h"
#include "host/users/secrets.h"

namespace host::app {
namespace {

constexpr auto kStorePatience = std::chrono::seconds(10);
constexpr auto kStorePause = std::chrono::seconds(2);                         // for a call to see that its time is over
constexpr std::uint64_t kAsking = std::numeric_limits<std::uint64_t>::max();  // in place of a session's number
constexpr std::string_view kAdvertiser = "advertise-mdns";
// What the replaced system chooses from.
constexpr int kFirstRandomPort = 49152, kLastRandomPort = 64151;

class Portable {
 public:
  explicit Portable(const PortableOptions& options) : options_(options) {}

  core::Result<void> add_account(users::Store& store, auth::Login& login);
  void adjust(ssh::ServerOptions& server) const;
  core::Result<void> listening(const ssh::Server& server, plugin::Registry& registry);
  void stop_asked() { question_->end(); }
  void stopped();

 private:
  // Whether the store may be listed: open until it answers, or a stop makes the answer worthless.
  class Question {
   public:
    using Answer = core::Result<void>;
    void answer(Answer answer);
    void end();
    // Empty: it was ended first.
    std::optional<Answer> wait();

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Answer> answer_;              // under mutex_
    std::optional<plugin::SessionGone> ended_;  // under mutex_
  };

  core::Result<void> ask_store(plugin::Registry& registry);
  core::Result<void> advertise(std::uint16_t port, plugin::Registry& registry);

  const PortableOptions& options_;
  users::User account_;                // as it is stored
  users::MasterKeys* keys_ = nullptr;  // the store's
  const std::shared_ptr<Question> question_ = std::make_shared<Question>();
  bool ended_early_ = false;
  std::thread advertising_;
  std::unique_ptr<plugin::Service> advertiser_;  // that thread's, until it is joined
  std::optional<Ending> ending_;
};

void Portable::Question::answer(Answer answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
  changed_.notify_all();
}

void Portable::Question::end() {
  const std::lock_guard lock(mutex_);
  if (!ended_) ended_.emplace(kAsking);
  changed_.notify_all();
}

std::optional<Portable::Question::Answer> Portable::Question::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kStorePatience + kStorePause, [&] { return answer_ || ended_; });
  if (ended_) return std::nullopt;
  return answer_ ? *answer_ : core::Error(core::Status::kTimedOut);
}

core::Result<void> Portable::add_account(users::Store& store, auth::Login& login) {
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
  account_ = std::move(*added);
  keys_ = &store.master_keys();
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
  const plugin::Op op{.session_id = kAsking, .deadline_ns = std::chrono::nanoseconds(deadline).count()};
  const auto fs = storage.mount(op, std::move(args));
  if (!fs) return fs.error();
  const auto root = (*fs)->open_dir(op, {});
  return root ? core::ok() : root.error();
}

core::Result<void> Portable::ask_store(plugin::Registry& registry) {
  auto settings = users::plain_settings(account_, registry, keys_);
  if (!settings) return settings.error();
  const auto storage = registry.storage(account_.filesystem.backend);
  if (!storage) return storage.error();
  plugin::MountArgs args;
  args.user = account_.username;
  args.root = account_.home_dir;
  args.settings_json = std::move(*settings);
  const bool asked = (*storage)->pool().submit(
      [storage = *storage, args, question = question_] { question->answer(list_root(*storage, args)); });
  const auto answer = asked ? question_->wait() : core::Result<void>(core::Error(core::Status::kBusy));
  ended_early_ = !answer;
  if (!answer || *answer) return core::ok();
  const auto& done = *answer;
  const auto status = done.error().status;
  const bool silent = status == core::Status::kTimedOut || status == core::Status::kCancelled;
  return core::Error(
      status, options_.store + (silent ? ": no answer within " + std::to_string(kStorePatience.count()) + " seconds"
                                       : " cannot be listed: " + done.error().message()));
}

core::Result<void> Portable::listening(const ssh::Server& server, plugin::Registry& registry) {
  if (!options_.store.empty()) {
    if (auto good = ask_store(registry); !good || ended_early_) return good;
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
  start.stop_asked = [&] { mode.stop_asked(); };
  start.stopped = [&] { mode.stopped(); };
  return run_process([&] { return open_portable_log(options); }, start);
}

}  // namespace host::app
