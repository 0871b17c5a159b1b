// SPDX-License-Identifier: Apache-2.0
//
// A host that has nothing for its plugins, and one that keeps what they log.
#pragma once

#include <sallyport/cpp/plugin.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace fs_s3 {

inline sp_host quiet_host() {
  sp_host host{};
  host.struct_size = sizeof host;
  host.log = [](const sp_host*, std::uint32_t, sp_str, sp_str) noexcept {};
  host.log_enabled = [](const sp_host*, std::uint32_t) noexcept -> std::uint32_t { return 0; };
  host.cancelled = [](const sp_host*, const sp_op*) noexcept -> std::uint32_t { return 0; };
  host.extension = [](const sp_host*, const char*) noexcept -> const void* { return nullptr; };
  return host;
}

class LoggingHost {
 public:
  LoggingHost() {
    host = quiet_host();
    host.ctx = this;
    host.log_enabled = [](const sp_host*, std::uint32_t) noexcept -> std::uint32_t { return 1; };
    host.log = [](const sp_host* self, std::uint32_t, sp_str, sp_str text) noexcept {
      auto& mine = *static_cast<LoggingHost*>(self->ctx);
      const std::lock_guard lock(mine.mutex_);
      mine.lines_.emplace_back(text.ptr, text.len);
    };
  }
  LoggingHost(const LoggingHost&) = delete;
  LoggingHost& operator=(const LoggingHost&) = delete;
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  sp_host host;

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace fs_s3
