// SPDX-License-Identifier: Apache-2.0
//
// The operator's log: one JSON object per line, written by a background thread from a bounded queue. Field names and
// their order are those that log parsers of the replaced system know (docs/logs.md). Any thread; never blocks: when the
// queue is full the oldest lines are dropped and a later line says how many.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/core/result.h"

namespace host::core::log {

enum class Level { kDebug, kInfo, kWarn, kError };

struct Options {
  std::string path;  // empty: standard output
  std::uint64_t max_size_mb = 10;
  std::uint32_t max_backups = 5;
  std::uint32_t max_age_days = 28;
  bool compress = false;
  bool verbose = true;  // false drops debug lines
};

// Opens the log; before it (and after close) lines go to standard error as plain text, debug lines nowhere. [setup]
Result<void> open(const Options& options);
// Writes what is queued and closes. [setup]
void close();
// Goes on in a new file of the same name, for programs that have renamed the old one. Blocks while the disk does. Not
// for I/O threads.
Result<void> reopen();

// `sender` names the part, `connection_id` the SSH session or "".
void app(Level level, std::string_view sender, std::string_view connection_id, std::string_view message);
bool enabled(Level level);

inline void debug(std::string_view sender, std::string_view id, std::string_view text) {
  app(Level::kDebug, sender, id, text);
}
inline void info(std::string_view sender, std::string_view id, std::string_view text) {
  app(Level::kInfo, sender, id, text);
}
inline void warn(std::string_view sender, std::string_view id, std::string_view text) {
  app(Level::kWarn, sender, id, text);
}
inline void error(std::string_view sender, std::string_view id, std::string_view text) {
  app(Level::kError, sender, id, text);
}

struct Transfer {
  std::string_view sender;  // "Upload" or "Download"
  std::int64_t elapsed_ms = 0;
  std::uint64_t size_bytes = 0;
  std::string_view username, file_path, connection_id, protocol;
};
void transfer(const Transfer& line);

struct Command {
  std::string_view
      sender;  // "Rename", "Rmdir", "Mkdir", "Symlink", "Link", "Remove", "Chmod", "Chown", "Chtimes", "SSHCommand"
  std::string_view username, file_path, target_path, filemode;
  std::int64_t uid = -1, gid = -1;
  std::string_view access_time, modification_time;  // YYYY-MM-DDTHH:MM:SS
  std::string_view ssh_command, connection_id, protocol;
};
void command(const Command& line);

struct ConnectionFailed {
  std::string_view client_ip, username;
  std::string_view login_type;  // "publickey", "password", "keyboard-interactive", "no_auth_tryed"
  std::string_view error;
};
// Written whatever the level: fail2ban depends on it.
void connection_failed(const ConnectionFailed& line);

// An HTTP server's access line.
struct Http {
  std::string_view sender, method, proto, remote_addr, request_id, uri, user_agent;
  std::int64_t resp_status = 0, resp_size = 0, elapsed_ms = 0;
};
void http(const Http& line);

}  // namespace host::core::log
