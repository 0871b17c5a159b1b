// SPDX-License-Identifier: Apache-2.0
//
// The defender as services see it. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "host/auth/defender.h"
#include "host/plugin/host_tables.h"

namespace host::app {

class Bans final : public plugin::HostBans {
 public:
  explicit Bans(auth::Defender& defender) : defender_(defender) {}

  core::Result<std::string> list() override;
  core::Result<void> lift(std::string_view network, std::string_view username) override;

 private:
  auth::Defender& defender_;
};

}  // namespace host::app
