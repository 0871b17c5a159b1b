// SPDX-License-Identifier: Apache-2.0
//
// The configuration as structs, read once: built-in defaults, then the file, then SFTPGO_... environment variables.
// Keys are those of the replaced system; those marked (ours) are additions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.h"

namespace host::config {

struct Actions {
  std::vector<std::string> execute_on;
  std::string command, http_notification_url;
};

struct Sftpd {
  int bind_port = 2022;  // 0 (ours): any free port
  std::string bind_address;
  int idle_timeout = 15;   // minutes
  int max_auth_tries = 0;  // 0: six, negative: unlimited
  std::uint32_t umask = 0022;
  std::string banner;
  int upload_mode = 0;
  Actions actions;
  std::vector<std::string> keys;  // paths of private keys
  bool enable_scp = false;
  std::vector<std::string> kex_algorithms, ciphers, macs;
  std::string login_banner_file;
  int setstat_mode = 0;
  std::vector<std::string> enabled_ssh_commands = {"md5sum", "sha1sum", "cd", "pwd"};
  std::string keyboard_interactive_auth_program;
  int proxy_protocol = 0;
  std::vector<std::string> proxy_allowed;
  int io_threads = 0;          // (ours) pairs; 0: one per core
  int drain_timeout = 10;      // (ours) seconds that running transfers get at shutdown
  int login_grace_time = 120;  // (ours) seconds for handshake and login together
  int rekey_data = 0;          // (ours) MiB; 0: what the cipher needs
  int rename_mode = 0;         // (ours) 1: the replaced system's rule
  bool fast_socket = true;     // (ours) fewer system calls below libssh, where the build has it
};

struct Defender {  // (ours)
  bool enabled = false;
  int max_failures = 30, max_failures_per_user = 15;  // of one address
  int window = 600, ban_time = 900;                   // seconds
  std::vector<std::string> allowed = {"127.0.0.0/8", "::1"}, denied;
};

struct DataProvider {
  std::string driver = "sqlite", name = "sftpgo.db", host;
  int port = 5432;
  std::string username, password;
  int sslmode = 0;
  std::string connection_string, users_table = "users";
  int manage_users = 1, track_quota = 1, pool_size = 0;
  std::string users_base_dir;
  Actions actions;
  std::string external_auth_program;
  int external_auth_scope = 0;
  std::string credentials_path = "credentials", pre_login_program;
  bool upgrade_password_hashes = false;     // (ours) to argon2id, at a login with the password
  std::string master_key, master_key_file;  // (ours) for storages' secrets
};

struct Httpd {
  int bind_port = 8080;  // 0: none; -1 (ours): any free port
  std::string bind_address = "127.0.0.1", templates_path = "templates", static_files_path = "static",
              backups_path = "backups", auth_user_file, certificate_file, certificate_key_file;
  std::vector<std::string> allowed_hosts;  // (ours) further names by which browsers may call it
  bool allow_insecure = false;             // (ours) may listen beyond this machine without authentication or TLS
};

struct Plugins {          // (ours)
  std::string directory;  // empty: ../lib/sallyport/plugins beside the executable
  std::vector<std::string> paths;
  std::map<std::string, std::string> sha256;
  std::map<std::string, std::string> storage;                  // name -> settings as JSON text
  std::map<std::string, std::string> provider;                 // name -> settings beyond data_provider as JSON text
  std::vector<std::string> authenticators, notifiers;          // names, in order
  std::map<std::string, std::string> authenticator, notifier;  // name -> settings as JSON text
  int login_concurrency = 32, event_concurrency = 8;           // calls of each at once
};

struct Config {
  std::filesystem::path dir;   // base of relative paths
  std::filesystem::path file;  // empty when none was found
  Sftpd sftpd;
  Defender defender;
  DataProvider data_provider;
  Httpd httpd;
  Plugins plugins;

  std::filesystem::path resolve(std::string_view path) const;  // relative ones start at `dir`
};

struct Loaded {
  Config config;
  std::vector<std::string> warnings;  // unknown keys and the like, for the log
};

// Looks for <name>.json in dir, then $HOME/.config/sallyport, /etc/sallyport (and the sftpgo ones), then the working
// directory; `name` empty means "sallyport", then "sftpgo", and no file at all then is fine: defaults. A named file
// that is missing (kNotFound) and a wrong type or value are errors; those tell of file, key, value and what is allowed,
// one line each. `environment` in the form of environ.
core::Result<Loaded> load(const std::filesystem::path& dir, std::string_view name, const char* const* environment);

}  // namespace host::config
