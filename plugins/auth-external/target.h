// SPDX-License-Identifier: Apache-2.0
//
// Who is asked: a program that is run, or a service that gets a POST. Any thread, several at once.
#pragma once

#include <sallyport/cpp/auth.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hook-common/http.h"
#include "hook-common/process.h"
#include "settings.h"

namespace auth_external {

using Variables = std::vector<std::pair<std::string, std::string>>;

class Target {
 public:
  Target(const sp_host& host, const Settings& settings);

  bool is_program() const { return !settings_.program.empty(); }
  const Settings& settings() const { return settings_; }
  hook_common::Watchdog::Clock::time_point deadline() const;
  hook_common::Process::Cancelled cancelled(const sp_op& op) const;

  // Failures that say which hook it was. `fails` names who was asked, too, without secrets; those of programs and
  // requests do so already. SP_E_DENIED is a no and counts against the client; anything else is the hook's own trouble.
  sallyport::Failure fails(const std::string& why, sp_status status = SP_E_IO) const;
  sallyport::Failure named(sallyport::Failure failure) const;

  // What the program writes, run to its end with these variables.
  sallyport::Outcome<std::string> run(const sp_op& op, const Variables& variables);
  // A program that goes on; its own failures are for named().
  sallyport::Outcome<std::unique_ptr<hook_common::Process>> start(const Variables& variables,
                                                                  std::shared_ptr<void> place = {});
  // What the service answers; empty for 204. Any status but 200 and 204 is a failure.
  sallyport::Outcome<std::string> post(const sp_op& op, const std::string& url, std::string_view body,
                                       hook_common::Watchdog::Clock::time_point until);

 private:
  hook_common::Command command(const Variables& variables) const;

  const sp_host& host_;
  const Settings settings_;
  hook_common::Watchdog dog_;
  hook_common::HttpClient http_;
};

// "password", "publickey" or "keyboard-interactive".
std::string_view method_name(std::uint32_t method);

}  // namespace auth_external
