// SPDX-License-Identifier: Apache-2.0
//
// The two ways to ask, with the same limits. Workers of the host.
#include "target.h"

namespace auth_external {

using hook_common::Watchdog;
using sallyport::Failure;
using sallyport::Outcome;

Target::Target(const sp_host& host, const Settings& settings)
    : host_(host), settings_(settings), http_(dog_, settings.ca_file) {}

Watchdog::Clock::time_point Target::deadline() const { return Watchdog::Clock::now() + settings_.time; }

hook_common::Process::Cancelled Target::cancelled(const sp_op& op) const {
  return [this, op] { return sallyport::cancelled(host_, op); };
}

Failure Target::fails(const std::string& why, sp_status status) const {
  return named({status, (is_program() ? settings_.program : hook_common::server_of(settings_.url)) + ": " + why, 0});
}

Failure Target::named(Failure failure) const {
  const std::string_view hook = settings_.hook == Hook::kExternal   ? "external"
                                : settings_.hook == Hook::kPreLogin ? "pre-login"
                                                                    : "keyboard";
  failure.message.insert(0, std::string(hook) + " hook: ");
  return failure;
}

hook_common::Command Target::command(const Variables& variables) const {
  hook_common::Command command;
  command.program = settings_.program;
  command.variables = variables;
  command.umask = settings_.umask;
  command.open_files = settings_.open_files;
  command.writes = true;
  command.listens = settings_.hook == Hook::kKeyboard;  // others find the end of their input at once
  return command;
}

Outcome<std::string> Target::run(const sp_op& op, const Variables& variables) {
  auto process = start(variables);
  if (!process) return process.failure();
  auto said = (*process)->finish(cancelled(op));
  if (!said) return named(std::move(said.failure()));
  return said;
}

Outcome<std::unique_ptr<hook_common::Process>> Target::start(const Variables& variables, std::shared_ptr<void> place) {
  auto what = command(variables);
  what.place = std::move(place);
  auto process = hook_common::Process::start(dog_, what, deadline());
  if (!process) return named(std::move(process.failure()));
  return process;
}

Outcome<std::string> Target::post(const sp_op& op, const std::string& url, std::string_view body,
                                  Watchdog::Clock::time_point until) {
  auto answer = http_.request(url, body, until, cancelled(op));
  if (!answer) return named(std::move(answer.failure()));
  if (answer->status == 204) return std::string();
  // The two that are about who somebody is. Others, as of a wrong path, do not come from whoever decides.
  const bool refuses = answer->status == 401 || answer->status == 403;
  if (answer->status != 200)
    return fails("the service answers " + std::to_string(answer->status), refuses ? SP_E_DENIED : SP_E_IO);
  return std::move(answer->body);
}

std::string_view method_name(std::uint32_t method) {
  if (method == SP_AUTH_PASSWORD) return "password";
  return method == SP_AUTH_PUBLIC_KEY ? "publickey" : "keyboard-interactive";
}

}  // namespace auth_external
