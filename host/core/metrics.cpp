// SPDX-License-Identifier: Apache-2.0
//
// One atomic per counter, each on a cache line of its own: I/O threads and workers count side by side.
#include "host/core/metrics.h"

#include <array>
#include <atomic>

namespace host::core::metrics {
namespace {

constexpr auto kCounters = static_cast<std::size_t>(Counter::kCount);

constexpr std::array<Description, kCounters> kDescriptions = {{
    {"sftpgo_uploads_total", "Uploads that came to their end"},
    {"sftpgo_upload_errors_total", "Uploads that failed"},
    {"sftpgo_upload_size", "Bytes received, those of failed uploads included"},
    {"sftpgo_downloads_total", "Downloads that came to their end"},
    {"sftpgo_download_errors_total", "Downloads that failed"},
    {"sftpgo_download_size", "Bytes sent, those of failed downloads included"},
    {"sftpgo_login_attempts_total", "Login attempts of any method"},
    {"sftpgo_login_ok_total", "Logins of any method"},
    {"sftpgo_login_ko_total", "Failed login attempts of any method"},
    {"sftpgo_password_login_attempts_total", "Login attempts with a password"},
    {"sftpgo_password_login_ok_total", "Logins with a password"},
    {"sftpgo_password_login_ko_total", "Failed login attempts with a password"},
    {"sftpgo_public_key_login_attempts_total", "Login attempts with a public key"},
    {"sftpgo_public_key_login_ok_total", "Logins with a public key"},
    {"sftpgo_public_key_login_ko_total", "Failed login attempts with a public key"},
    {"sftpgo_keyboard_interactive_login_attempts_total", "Login attempts by keyboard-interactive"},
    {"sftpgo_keyboard_interactive_login_ok_total", "Logins by keyboard-interactive"},
    {"sftpgo_keyboard_interactive_login_ko_total", "Failed login attempts by keyboard-interactive"},
    {"sftpgo_ssh_commands_total", "SSH commands, scp included, that came to a good end"},
    {"sftpgo_ssh_command_errors_total", "SSH commands, scp included, that failed"},
    {"sallyport_quota_scans_total", "Quota scans that came to their end"},
    {"sallyport_quota_scan_errors_total", "Quota scans that failed"},
    {"sallyport_events_dropped_total", "Events that notifiers were not told of, because too many waited"},
}};

struct alignas(64) Cell {
  std::atomic<std::uint64_t> value = 0;
};
std::array<Cell, kCounters> cells;

}  // namespace

void add(Counter counter, std::uint64_t amount) {
  cells[static_cast<std::size_t>(counter)].value.fetch_add(amount, std::memory_order_relaxed);
}

std::uint64_t value(Counter counter) {
  return cells[static_cast<std::size_t>(counter)].value.load(std::memory_order_relaxed);
}

const Description& describe(Counter counter) { return kDescriptions[static_cast<std::size_t>(counter)]; }

}  // namespace host::core::metrics
