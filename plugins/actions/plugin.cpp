// SPDX-License-Identifier: Apache-2.0
//
// The notifier: runs the command, or sends the request, and waits for its end. Workers of the host, several at once.
// Output of commands goes nowhere.
#include <sallyport/cpp/notifier.hpp>

#include <algorithm>
#include <thread>

#include "call.h"
#include "hook-common/http.h"
#include "hook-common/process.h"
#include "hook-common/query.h"
#include "settings.h"

namespace actions {
namespace {

using hook_common::Process;
using hook_common::Watchdog;
using sallyport::Failure;
using sallyport::Outcome;

constexpr auto kLook = std::chrono::milliseconds(50);  // between two looks at whether a pause is to go on

class Actions : public sallyport::Notifier<Actions> {
 public:
  static constexpr const char* kType = "actions";
  static constexpr const char* kSummary = "commands and HTTP requests for events about files and accounts";
  static constexpr const char* kConfigSchema = kSettingsSchema;

  static Outcome<std::unique_ptr<Actions>> create(const sp_host& host, std::string_view config) {
    auto settings = parse_settings(config);
    if (!settings) return std::move(settings.failure());
    return std::make_unique<Actions>(host, std::move(*settings));
  }

  Actions(const sp_host& host, Settings settings)
      : host_(host), settings_(std::move(settings)), http_(dog_, settings_.ca_file) {}

  bool wants(std::string_view kind) const {
    const bool about_users = kind.starts_with("user-");
    if (about_users != settings_.users) return false;
    if (about_users) kind.remove_prefix(std::string_view("user-").size());
    return std::find(settings_.execute_on.begin(), settings_.execute_on.end(), kind) != settings_.execute_on.end();
  }

  // A redirection is not followed, so whoever should have been told was not.
  Outcome<void> notify(const sp_op& op, std::string_view event) {
    return run(op, event, settings_.retries, [](int status) { return status < 300; });
  }

  // A service says no with any answer but 200, a command with any exit code but 0.
  Outcome<void> decide(const sp_op& op, std::string_view event) {
    return run(op, event, 0, [](int status) { return status == 200; });
  }

 private:
  using Good = bool (*)(int status);

  Outcome<void> run(const sp_op& op, std::string_view event, int retries, Good good) {
    auto call = settings_.users ? user_call(event) : file_call(event);
    if (!call) return call.failure();
    return settings_.url.empty() ? execute(op, *call) : ask(op, *call, retries, good);
  }

  Outcome<void> execute(const sp_op& op, const Call& call) {
    hook_common::Command command;
    command.program = settings_.command;
    command.arguments = call.arguments;
    command.variables = call.variables;
    command.umask = settings_.umask;
    command.open_files = settings_.open_files;
    command.leave_others = true;
    auto process = Process::start(dog_, command, Watchdog::Clock::now() + settings_.command_time);
    if (!process) return process.failure();
    auto done = (*process)->finish([&] { return sallyport::cancelled(host_, op); });
    if (!done) return done.failure();
    return {};
  }

  Outcome<void> ask(const sp_op& op, const Call& call, int retries, Good good) {
    const auto url = hook_common::with_query(settings_.url, call.query);
    auto pause = settings_.first_pause;
    for (int left = retries;; --left, pause *= 2) {
      auto answer = http_.request(url, call.body, Watchdog::Clock::now() + settings_.http_time,
                                  [&] { return sallyport::cancelled(host_, op); });
      if (answer && good(answer->status)) return {};
      const bool hopeless = answer && answer->status < 500;
      if (left <= 0 || hopeless || !rest(op, pause)) {
        if (!answer) return answer.failure();
        return Failure{hopeless ? SP_E_DENIED : SP_E_IO,
                       hook_common::server_of(url) + ": the service answers " + std::to_string(answer->status), 0};
      }
    }
  }

  // False: nobody wants to wait any more.
  bool rest(const sp_op& op, std::chrono::milliseconds pause) {
    const auto until = Watchdog::Clock::now() + pause;
    while (Watchdog::Clock::now() < until) {
      if (sallyport::cancelled(host_, op)) return false;
      std::this_thread::sleep_for(std::min<Watchdog::Clock::duration>(kLook, pause));
    }
    return true;
  }

  const sp_host& host_;
  const Settings settings_;
  Watchdog dog_;
  hook_common::HttpClient http_;
};

}  // namespace
}  // namespace actions

SALLYPORT_PLUGIN("org.sallyport.actions", "actions", SALLYPORT_VERSION_STRING, "Sallyport",
                 &sallyport::kNotifierFactory<actions::Actions>)
