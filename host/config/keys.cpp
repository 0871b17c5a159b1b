// SPDX-License-Identifier: Apache-2.0
//
// The one place that names keys, their limits and their explanation. Constant data; any thread.
#include "host/config/keys.h"

#include <algorithm>
#include <array>
#include <limits>

namespace host::config {
namespace {

constexpr int kMaxInt = std::numeric_limits<int>::max();
constexpr int kMinInt = std::numeric_limits<int>::min();

constexpr std::array<std::string_view, 10> kFileEvents = {
    "download",      "upload",          "delete",     "rename",       "ssh_cmd",
    "upload-failed", "download-failed", "pre-upload", "pre-download", "pre-delete"};
constexpr std::array<std::string_view, 3> kUserEvents = {"add", "update", "delete"};
constexpr std::array<std::string_view, 13> kCommands = {
    "scp", "md5sum",           "sha1sum",         "sha256sum",          "sha384sum", "sha512sum", "cd",
    "pwd", "git-receive-pack", "git-upload-pack", "git-upload-archive", "rsync",     "*"};

constexpr Rule range(std::int64_t min, std::int64_t max) {
  Rule rule;
  rule.min = min;
  rule.max = max;
  return rule;
}
constexpr Rule text(Rule::Text kind) {
  Rule rule;
  rule.text = kind;
  return rule;
}
constexpr Rule one_of(std::span<const std::string_view> words) {
  Rule rule = text(Rule::Text::kOneOf);
  rule.one_of = words;
  return rule;
}
constexpr Rule object_with(std::string_view member) {
  Rule rule;
  rule.object_member = member;
  return rule;
}
constexpr Rule kAnything{};

// The member of Config that a row is about; the unary plus makes the lambda the function pointer that Target holds.
#define MEMBER(member) (+[](Config & config) -> auto& { return config.member; })

const Key kKeys[] = {
    {"sftpd.bind_port", MEMBER(sftpd.bind_port), range(0, 65535), 0,
     "Port for SFTP. 0 takes any free port and says in the log which."},
    {"sftpd.bind_address", MEMBER(sftpd.bind_address), text(Rule::Text::kAddress), 0,
     "Address to listen on. Empty: all, IPv4 and IPv6."},
    {"sftpd.idle_timeout", MEMBER(sftpd.idle_timeout), range(0, 525600), Key::kLive,
     "Minutes without a request or transfer after which a client is disconnected. 0: never."},
    {"sftpd.max_auth_tries", MEMBER(sftpd.max_auth_tries), range(kMinInt, kMaxInt), Key::kLive,
     "Login attempts per connection. 0: six; negative: no limit."},
    {"sftpd.umask", MEMBER(sftpd.umask), range(0, 0777), Key::kLive,
     "Permission bits to clear in new files and directories, in octal."},
    {"sftpd.banner", MEMBER(sftpd.banner), text(Rule::Text::kIdentification), 0,
     "Software name in the SSH identification. Empty: Sallyport and its version."},
    {"sftpd.upload_mode", MEMBER(sftpd.upload_mode), range(0, 2), Key::kLive,
     "0: uploads go straight to their path. 1: to a temporary file that is renamed at the end. 2: as 1, but what "
     "has arrived when the connection is lost takes the name, and so does what has arrived of a new file that the "
     "server refuses; a file opened without being emptied is continued in place."},
    {"sftpd.actions.execute_on", MEMBER(sftpd.actions.execute_on), one_of(kFileEvents), 0,
     "File events to notify about. Empty: none. Those with `pre-` ask beforehand and may refuse "
     "([hooks](hooks/README.md))."},
    {"sftpd.actions.command", MEMBER(sftpd.actions.command), text(Rule::Text::kAbsolutePath), 0,
     "Program to run for each event."},
    {"sftpd.actions.http_notification_url", MEMBER(sftpd.actions.http_notification_url), text(Rule::Text::kUrl), 0,
     "URL to call for each event."},
    {"sftpd.keys", MEMBER(sftpd.keys), object_with("private_key"), 0,
     "Private host keys, each `{\"private_key\": PATH}` or just the path. Empty: `id_rsa`, `id_ecdsa` and `id_ed25519` "
     "in "
     "the configuration directory, made when missing."},
    {"sftpd.enable_scp", MEMBER(sftpd.enable_scp), kAnything, Key::kLive,
     "Outdated; add `scp` to `enabled_ssh_commands` instead."},
    {"sftpd.kex_algorithms", MEMBER(sftpd.kex_algorithms), text(Rule::Text::kAlgorithm), 0,
     "Key exchange algorithms, best first. Empty: a modern selection."},
    {"sftpd.ciphers", MEMBER(sftpd.ciphers), text(Rule::Text::kAlgorithm), 0,
     "Ciphers, best first. Empty: a modern selection."},
    {"sftpd.macs", MEMBER(sftpd.macs), text(Rule::Text::kAlgorithm), 0,
     "Message authentication codes, best first. Empty: a modern selection."},
    {"sftpd.login_banner_file", MEMBER(sftpd.login_banner_file), kAnything, Key::kLive,
     "File whose text clients see before they log in. Empty: none."},
    {"sftpd.setstat_mode", MEMBER(sftpd.setstat_mode), range(0, 1), Key::kLive,
     "0: requests to change permissions, owner and times are carried out. 1: they are answered with success and "
     "ignored."},
    {"sftpd.enabled_ssh_commands", MEMBER(sftpd.enabled_ssh_commands), one_of(kCommands), Key::kLive,
     "SSH commands that clients may run. `*`: all. The list replaces the default. `scp` is the old protocol (`scp -O`, "
     "OpenSSH before 9); newer ones use SFTP. git and rsync: docs/accounts.md."},
    {"sftpd.keyboard_interactive_auth_program", MEMBER(sftpd.keyboard_interactive_auth_program),
     text(Rule::Text::kHook), 0,
     "Program that asks the questions of keyboard-interactive logins, or the URL of a service that does. Empty: none, "
     "the "
     "server asks for the password."},
    {"sftpd.proxy_protocol", MEMBER(sftpd.proxy_protocol), range(0, 2), Key::kLive,
     "HAProxy's PROXY protocol, versions 1 and 2: the client's address comes in a header before SSH. 0: off. 1: a "
     "header is "
     "used, connections without one are accepted. 2: connections without one are refused. With 1 and 2 the server says "
     "nothing before it has heard the first bytes."},
    {"sftpd.proxy_allowed", MEMBER(sftpd.proxy_allowed), text(Rule::Text::kNetwork), Key::kLive,
     "Addresses and CIDR ranges of the proxies to believe. Empty: whoever sends a header. With `proxy_protocol` 1 "
     "headers "
     "from elsewhere are read and ignored, with 2 connections from elsewhere are refused."},
    {"sftpd.io_threads", MEMBER(sftpd.io_threads), range(0, 1024), Key::kOurs,
     "Groups of threads that serve connections: one of each for small requests, one for bulk data, a few more while "
     "single sessions send very many requests. 0: one group per processor."},
    {"sftpd.drain_timeout", MEMBER(sftpd.drain_timeout), range(0, 86400), Key::kOurs,
     "Seconds that running transfers get to finish when the server is told to stop."},
    {"sftpd.login_grace_time", MEMBER(sftpd.login_grace_time), range(1, 3600), Key::kOurs | Key::kLive,
     "Seconds that a client has for handshake and login together."},
    {"sftpd.rekey_data", MEMBER(sftpd.rekey_data), range(0, 1048576), Key::kOurs | Key::kLive,
     "MiB in one direction after which the server asks for new keys. Clients may ask earlier. 0: when the cipher needs "
     "them, which is after 1 GiB of chacha20-poly1305 and 64 GiB of AES."},
    {"sftpd.rename_mode", MEMBER(sftpd.rename_mode), range(0, 1), Key::kOurs | Key::kLive,
     "0: renaming needs `rename` on both sides, and `overwrite` to replace a file. 1: as SFTPGo 0.9.5, `rename` on the "
     "target's side is enough, and every rename replaces."},
    {"sftpd.fast_socket", MEMBER(sftpd.fast_socket), kAnything, Key::kOurs,
     "Save system calls below the SSH library, in builds that can."},

    {"defender.enabled", MEMBER(defender.enabled), kAnything, Key::kOurs | Key::kLive,
     "Refuse addresses from which too many password logins fail. Off by default, because clients that reach the server "
     "through a NAT or a proxy without PROXY protocol share one address."},
    {"defender.max_failures", MEMBER(defender.max_failures), range(1, 1000000), Key::kOurs | Key::kLive,
     "Failed password logins from one address, an IPv6 /64 counting as one, after which nobody there may connect."},
    {"defender.max_failures_per_user", MEMBER(defender.max_failures_per_user), range(1, 1000000),
     Key::kOurs | Key::kLive,
     "Failed password logins with one user name from one address after which that name cannot log in with a password "
     "from there. Others there can, and what that name tries further does not count: below `max_failures`, one broken "
     "script shuts out nobody else."},
    {"defender.window", MEMBER(defender.window), range(1, 604800), Key::kOurs | Key::kLive,
     "Seconds, from the first failure on, in which failures count together."},
    {"defender.ban_time", MEMBER(defender.ban_time), range(1, 31536000), Key::kOurs | Key::kLive,
     "Seconds for which addresses and names are refused."},
    {"defender.allowed", MEMBER(defender.allowed), text(Rule::Text::kNetwork), Key::kOurs | Key::kLive,
     "Addresses and CIDR ranges that are never refused, whatever they fail; wins over `denied`."},
    {"defender.denied", MEMBER(defender.denied), text(Rule::Text::kNetwork), Key::kOurs | Key::kLive,
     "Addresses and CIDR ranges that may never connect, while `enabled`."},

    {"data_provider.driver", MEMBER(data_provider.driver), text(Rule::Text::kPluginName), 0,
     "Where accounts are kept: NAME loads the plugin `provider-NAME`."},
    {"data_provider.name", MEMBER(data_provider.name), kAnything, 0,
     "Database. sqlite and bolt: its file. memory: a file with accounts to load, or empty."},
    {"data_provider.host", MEMBER(data_provider.host), kAnything, 0, "Database server."},
    {"data_provider.port", MEMBER(data_provider.port), range(0, 65535), 0, "Port of the database server."},
    {"data_provider.username", MEMBER(data_provider.username), kAnything, 0, "User at the database server."},
    {"data_provider.password", MEMBER(data_provider.password), kAnything, Key::kSecret, "Password of that user."},
    {"data_provider.sslmode", MEMBER(data_provider.sslmode), range(0, 3), 0,
     "TLS towards the database server. postgresql: disable, require, verify-ca, verify-full. mysql: off, on, "
     "unchecked, "
     "preferred."},
    {"data_provider.connection_string", MEMBER(data_provider.connection_string), kAnything, Key::kSecret,
     "Replaces the connection string that would be made from the keys above."},
    {"data_provider.users_table", MEMBER(data_provider.users_table), kAnything, 0, "Table with the accounts."},
    {"data_provider.manage_users", MEMBER(data_provider.manage_users), range(0, 1), 0,
     "0: accounts are only read. 1: they may be added, changed and deleted."},
    {"data_provider.track_quota", MEMBER(data_provider.track_quota), range(0, 2), 0,
     "Used space and files. 0: not counted. 1: counted for all. 2: counted for accounts that have a limit."},
    {"data_provider.pool_size", MEMBER(data_provider.pool_size), range(0, 10000), 0,
     "Most connections to the database server at once. 0: no limit."},
    {"data_provider.users_base_dir", MEMBER(data_provider.users_base_dir), text(Rule::Text::kAbsolutePath), 0,
     "Accounts without a home directory get one named after them below this directory."},
    {"data_provider.actions.execute_on", MEMBER(data_provider.actions.execute_on), one_of(kUserEvents), 0,
     "Account changes to notify about. Empty: none."},
    {"data_provider.actions.command", MEMBER(data_provider.actions.command), text(Rule::Text::kAbsolutePath), 0,
     "Program to run for each change."},
    {"data_provider.actions.http_notification_url", MEMBER(data_provider.actions.http_notification_url),
     text(Rule::Text::kUrl), 0, "URL to call for each change."},
    {"data_provider.external_auth_program", MEMBER(data_provider.external_auth_program), text(Rule::Text::kHook), 0,
     "Program that decides logins. Empty: none."},
    {"data_provider.external_auth_scope", MEMBER(data_provider.external_auth_scope), range(0, 7), 0,
     "Logins that the program decides: sum of 1 password, 2 public key, 4 keyboard-interactive. 0: all."},
    {"data_provider.credentials_path", MEMBER(data_provider.credentials_path), kAnything, 0,
     "Directory for credentials of cloud storage."},
    {"data_provider.pre_login_program", MEMBER(data_provider.pre_login_program), text(Rule::Text::kHook), 0,
     "Program that may change an account just before its login, or the URL of a service. Empty: none. Not asked for "
     "logins that the external program decides."},
    {"data_provider.upgrade_password_hashes", MEMBER(data_provider.upgrade_password_hashes), kAnything, Key::kOurs,
     "Whoever logs in with a password that is stored as another hash gets it stored as argon2id."},
    {"data_provider.master_key_file", MEMBER(data_provider.master_key_file), kAnything, Key::kOurs,
     "File with the keys that the secrets of accounts are encrypted under, for the server's user alone (mode 0600): 64 "
     "hexadecimal digits a line, the first key encrypts, the others only decrypt ([accounts](accounts.md)). Empty: "
     "`master.key` in the configuration directory, made when the first secret is stored."},
    {"data_provider.master_key", MEMBER(data_provider.master_key), kAnything, Key::kOurs | Key::kSecret,
     "The same keys, separated by commas, instead of a file. Meant for the environment variable."},

    {"httpd.bind_port", MEMBER(httpd.bind_port), range(-1, 65535), 0,
     "Port of the administration server. 0: none. -1 takes any free port and says in the log which."},
    {"httpd.bind_address", MEMBER(httpd.bind_address), text(Rule::Text::kAddress), 0,
     "Address of the administration server. Beyond this machine (empty: all addresses) it wants authentication and a "
     "certificate, or `allow_insecure`."},
    {"httpd.templates_path", MEMBER(httpd.templates_path), kAnything, 0, "Directory of page templates."},
    {"httpd.static_files_path", MEMBER(httpd.static_files_path), kAnything, 0, "Directory of static files."},
    {"httpd.backups_path", MEMBER(httpd.backups_path), kAnything, 0, "Directory for backups."},
    {"httpd.auth_user_file", MEMBER(httpd.auth_user_file), kAnything, 0,
     "File with administrators as htpasswd writes it. Empty: no authentication."},
    {"httpd.certificate_file", MEMBER(httpd.certificate_file), kAnything, 0,
     "Certificate; together with its key it switches HTTPS on. Both are read again on SIGHUP."},
    {"httpd.certificate_key_file", MEMBER(httpd.certificate_key_file), kAnything, 0, "Private key of the certificate."},
    {"httpd.allow_insecure", MEMBER(httpd.allow_insecure), kAnything, Key::kOurs,
     "Listen beyond this machine without authentication or without TLS all the same."},
    {"httpd.allowed_hosts", MEMBER(httpd.allowed_hosts), kAnything, Key::kOurs,
     "Names, each with or without a port, by which browsers and proxies may call the administration server, beside "
     "addresses, names without a dot and the machine's own. Only asked where no password is needed, and of pages from "
     "other sites."},

    {"plugins.directory", MEMBER(plugins.directory), kAnything, Key::kOurs,
     "Where plugins are found. Empty: `../lib/sallyport/plugins` beside the executable."},
    {"plugins.paths", MEMBER(plugins.paths), text(Rule::Text::kAbsolutePath), Key::kOurs, "Further plugin files."},
    {"plugins.sha256", MEMBER(plugins.sha256), text(Rule::Text::kSha256), Key::kOurs,
     "Plugin name -> SHA-256 digest in hex. A plugin with another digest is refused."},
    {"plugins.storage", MEMBER(plugins.storage), text(Rule::Text::kJsonObject), Key::kOurs | Key::kSecret,
     "Storage plugin name -> its settings, an object that the plugin's schema describes (`sallyport plugin show "
     "NAME`)."},
    {"plugins.provider", MEMBER(plugins.provider), text(Rule::Text::kJsonObject), Key::kOurs | Key::kSecret,
     "Provider plugin name -> settings of its own beyond those in `data_provider`, as its schema describes them."},
    {"plugins.authenticators", MEMBER(plugins.authenticators), text(Rule::Text::kPluginName), Key::kOurs,
     "Plugins that are asked at logins, in this order; the first that decides decides. `auth-external` stands for the "
     "programs of the keys above, which come first when it is not named."},
    {"plugins.authenticator", MEMBER(plugins.authenticator), text(Rule::Text::kJsonObject), Key::kOurs | Key::kSecret,
     "Authenticator plugin name -> its settings."},
    {"plugins.notifiers", MEMBER(plugins.notifiers), text(Rule::Text::kPluginName), Key::kOurs,
     "Plugins that are told of events, in this order. `actions` stands for the `actions` of the sections above, which "
     "come first when it is not named."},
    {"plugins.notifier", MEMBER(plugins.notifier), text(Rule::Text::kJsonObject), Key::kOurs | Key::kSecret,
     "Notifier plugin name -> its settings."},
    {"plugins.login_concurrency", MEMBER(plugins.login_concurrency), range(1, 1000), Key::kOurs,
     "Logins that each authenticator works on at once, and so programs that run at once for them. Others wait; "
     "whose turn comes after more than 45 seconds is refused."},
    {"plugins.event_concurrency", MEMBER(plugins.event_concurrency), range(1, 1000), Key::kOurs,
     "Events that each notifier works on at once. Those of one user follow each other."},
};
#undef MEMBER

}  // namespace

std::span<const Key> keys() { return kKeys; }

const Key* find_key(std::string_view path) {
  const auto* found =
      std::find_if(std::begin(kKeys), std::end(kKeys), [&](const Key& key) { return key.path == path; });
  return found == std::end(kKeys) ? nullptr : found;
}

bool is_section(std::string_view path) {
  return std::any_of(std::begin(kKeys), std::end(kKeys), [&](const Key& key) {
    return key.path.size() > path.size() && key.path.starts_with(path) && key.path[path.size()] == '.';
  });
}

}  // namespace host::config
