// SPDX-License-Identifier: Apache-2.0
//
// The registry of sessions as services see it. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "host/admin/sessions.h"
#include "host/plugin/host_tables.h"

namespace host::admin {

class HostSessions final : public plugin::HostSessions {
 public:
  explicit HostSessions(Sessions& sessions) : sessions_(sessions) {}

  core::Result<std::string> list() override;
  core::Result<void> close(std::string_view connection_id) override;
  core::Result<std::size_t> close_user(std::string_view username) override;

 private:
  Sessions& sessions_;
};

}  // namespace host::admin
