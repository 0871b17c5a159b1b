// SPDX-License-Identifier: Apache-2.0
//
// What the host offers to plugins: the sp_host table behind log, cancellation and further services by id.
#pragma once

#include <sallyport/host.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace host::plugin {

// One table for all plugins of a registry; lives until their deinit has returned.
class HostServices {
 public:
  using Extensions = std::map<std::string, const void*, std::less<>>;

  explicit HostServices(Extensions extensions);
  HostServices(const HostServices&) = delete;
  HostServices& operator=(const HostServices&) = delete;

  const sp_host* table() const { return &table_; }

 private:
  Extensions extensions_;
  sp_host table_{};
};

// Sessions that are gone while calls on their behalf still run: sp_host.cancelled tells plugins. Each mark_cancelled is
// taken back by one forget_cancelled. Any thread.
void mark_cancelled(std::uint64_t session_id);
void forget_cancelled(std::uint64_t session_id);

}  // namespace host::plugin
