// SPDX-License-Identifier: Apache-2.0
//
// One function per part. Start-up only, one thread.
#include "host/app/settings.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "host/app/hooks.h"
#include "host/app/layout.h"
#include "host/app/version.h"

namespace host::app {
namespace {

constexpr std::size_t kMaxBannerBytes = 64 * 1024;

// Drivers whose data_provider.name is a file of ours rather than a database at a server.
constexpr std::array<std::string_view, 3> kFileDrivers = {"sqlite", "bolt", "memory"};

constexpr char kMasterKeyFile[] = "master.key";  // in the configuration directory

core::Error invalid(const std::string& text) { return {core::Status::kInvalid, text}; }

core::Result<std::string> provider_name(const config::Config& config) {
  const auto& provider = config.data_provider;
  const bool is_file = std::find(kFileDrivers.begin(), kFileDrivers.end(), provider.driver) != kFileDrivers.end();
  if (!is_file) return provider.name;
  const bool may_be_empty = provider.driver == "memory" || !provider.connection_string.empty();
  if (provider.name.empty() && may_be_empty) return std::string();
  if (provider.name.empty() || provider.name == "." || provider.name == "..") {
    return invalid("data_provider.name: found \"" + provider.name + "\", allowed is a file name");
  }
  return config.resolve(provider.name).string();
}

core::Result<std::string> banner_text(const config::Config& config) {
  if (config.sftpd.login_banner_file.empty()) return std::string();
  const auto file = config.resolve(config.sftpd.login_banner_file);
  std::ifstream in(file, std::ios::binary);
  std::string text(kMaxBannerBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) return invalid("sftpd.login_banner_file: " + file.string() + " cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMaxBannerBytes) {
    return invalid("sftpd.login_banner_file: " + file.string() + " has more than " + std::to_string(kMaxBannerBytes) +
                   " bytes");
  }
  return text;
}

core::Result<std::vector<users::Cidr>> networks(const std::string& key, const std::vector<std::string>& texts) {
  std::vector<users::Cidr> found;
  std::string wrong;
  for (const auto& text : texts) {
    if (const auto network = users::parse_network(text)) {
      found.push_back(*network);
    } else {
      wrong = text;
    }
  }
  if (!wrong.empty()) return invalid(key + ": found \"" + wrong + "\", allowed are IP addresses and CIDR ranges");
  return found;
}

bool is_blank(const std::string& text) { return text.find_first_not_of(" \t") == std::string::npos; }

std::vector<std::string> commands_of(const config::Sftpd& sftpd) {
  auto commands = sftpd.enabled_ssh_commands;
  if (sftpd.enable_scp) commands.emplace_back("scp");
  return commands;
}

}  // namespace

plugin::RegistryOptions registry_options(const config::Config& config) {
  plugin::RegistryOptions options;
  options.directory = config.plugins.directory.empty() ? plugin_directory_of(executable_file())
                                                       : config.resolve(config.plugins.directory);
  options.paths.assign(config.plugins.paths.begin(), config.plugins.paths.end());
  options.sha256 = config.plugins.sha256;
  options.storage_config = config.plugins.storage;
  return options;
}

core::Result<users::StoreOptions> store_options(const config::Config& config) {
  const auto& provider = config.data_provider;
  const auto name = provider_name(config);
  if (!name) return name.error();
  nlohmann::ordered_json settings = {
      {"name", *name},
      {"host", provider.host},
      {"port", provider.port},
      {"username", provider.username},
      {"password", provider.password},
      {"sslmode", provider.sslmode},
      {"connection_string", provider.connection_string},
      {"pool_size", provider.pool_size},
  };
  const auto own = config.plugins.provider.find("provider-" + provider.driver);
  if (own != config.plugins.provider.end()) settings.update(nlohmann::ordered_json::parse(own->second));
  users::StoreOptions options;
  options.driver = provider.driver;
  options.provider_config_json = settings.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  options.users_table = provider.users_table;
  options.users_base_dir = provider.users_base_dir;
  options.manage_users = provider.manage_users != 0;
  options.upgrade_password_hashes = provider.upgrade_password_hashes;
  if (!provider.master_key.empty() && !provider.master_key_file.empty()) {
    return invalid("data_provider.master_key and data_provider.master_key_file: one of them is allowed, not both");
  }
  options.master_keys.keys = provider.master_key;
  options.master_keys.make_file = provider.master_key_file.empty();
  options.master_keys.file =
      config.resolve(provider.master_key_file.empty() ? kMasterKeyFile : provider.master_key_file);
  return options;
}

core::Result<void> check_directory(const std::filesystem::path& dir) {
  std::error_code failed;
  const auto status = std::filesystem::status(dir, failed);
  if (std::filesystem::is_directory(status)) return core::ok();
  const bool other = std::filesystem::exists(status);
  return core::Error(core::Status::kNotFound,
                     dir.string() + (other ? ": not a directory" : ": no such configuration directory"));
}

core::Result<ssh::SessionOptions> session_options(const config::Config& config) {
  const auto& sftpd = config.sftpd;
  auto banner = banner_text(config);
  if (!banner) return banner.error();
  auto proxies = networks("sftpd.proxy_allowed", sftpd.proxy_allowed);
  if (!proxies) return proxies.error();
  ssh::SessionOptions options;
  options.login_banner = std::move(*banner);
  options.max_auth_tries = sftpd.max_auth_tries;
  options.login_grace_s = sftpd.login_grace_time;
  options.idle_timeout_min = sftpd.idle_timeout;
  options.rekey_bytes = static_cast<std::uint64_t>(sftpd.rekey_data) << 20;
  options.proxy = static_cast<ssh::SessionOptions::Proxy>(sftpd.proxy_protocol);
  options.proxies = std::move(*proxies);
  options.commands = commands_of(sftpd);
  options.vfs.umask = sftpd.umask;
  options.vfs.upload_mode = static_cast<vfs::UploadMode>(sftpd.upload_mode);
  options.vfs.lax_rename = sftpd.rename_mode == 1;
  options.vfs.ignore_setstat = sftpd.setstat_mode == 1;
  return options;
}

core::Result<auth::DefenderOptions> defender_options(const config::Config& config) {
  const auto& defender = config.defender;
  auto allowed = networks("defender.allowed", defender.allowed);
  if (!allowed) return allowed.error();
  auto denied = networks("defender.denied", defender.denied);
  if (!denied) return denied.error();
  auth::DefenderOptions options;
  options.enabled = defender.enabled;
  options.max_failures = defender.max_failures;
  options.max_failures_per_user = defender.max_failures_per_user;
  options.window = std::chrono::seconds(defender.window);
  options.ban_time = std::chrono::seconds(defender.ban_time);
  options.allowed = std::move(*allowed);
  options.denied = std::move(*denied);
  return options;
}

core::Result<ssh::ServerOptions> server_options(const config::Config& config) {
  const auto& sftpd = config.sftpd;
  auto sessions = session_options(config);
  if (!sessions) return sessions.error();
  ssh::ServerOptions options;
  options.address = sftpd.bind_address;
  options.port = sftpd.bind_port;
  options.software = is_blank(sftpd.banner) ? default_software() : sftpd.banner;
  options.kex = sftpd.kex_algorithms;
  options.ciphers = sftpd.ciphers;
  options.macs = sftpd.macs;
  options.io_threads = sftpd.io_threads;
  options.drain_s = sftpd.drain_timeout;
  options.fast_socket = sftpd.fast_socket;
  options.sessions = std::move(*sessions);
  return options;
}

core::Result<std::string> http_settings(const config::Config& config) {
  const auto& httpd = config.httpd;
  if (httpd.backups_path.empty() || httpd.backups_path == "." || httpd.backups_path == "..") {
    return invalid("httpd.backups_path: found \"" + httpd.backups_path + "\", allowed is a directory of its own");
  }
  const auto file = [&](const std::string& name) { return name.empty() ? name : config.resolve(name).string(); };
  const nlohmann::ordered_json settings = {
      {"bind_address", httpd.bind_address},
      {"bind_port", httpd.bind_port},
      {"auth_user_file", file(httpd.auth_user_file)},
      {"certificate_file", file(httpd.certificate_file)},
      {"certificate_key_file", file(httpd.certificate_key_file)},
      {"allow_insecure", httpd.allow_insecure},
      {"allowed_hosts", httpd.allowed_hosts},
  };
  return settings.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::vector<std::string> plugins_at_paths(const config::Config& config) {
  std::vector<std::string> names;
  for (const auto& path : config.plugins.paths) names.push_back(std::filesystem::path(path).stem().string());
  return names;
}

std::vector<std::string> unused_settings(const config::Config& config) {
  std::vector<std::string> out;
  const auto look = [&](const std::map<std::string, std::string>& settings, const std::string& key,
                        std::vector<std::string> used, const std::string& why) {
    for (const auto& [name, text] : settings) {
      if (std::find(used.begin(), used.end(), name) == used.end()) {
        out.push_back(key + "." + name + " has no effect: " + why);
      }
    }
  };
  const auto with = [](std::vector<std::string> names, std::string_view name) {
    names.emplace_back(name);
    return names;
  };
  const auto& plugins = config.plugins;
  const auto provider = "provider-" + config.data_provider.driver;
  look(plugins.provider, "plugins.provider", {provider}, "data_provider.driver asks for " + provider);
  look(plugins.authenticator, "plugins.authenticator", with(plugins.authenticators, kAuthHooks),
       "plugins.authenticators does not list it");
  look(plugins.notifier, "plugins.notifier", with(plugins.notifiers, kActionHooks),
       "plugins.notifiers does not list it");
  return out;
}

std::vector<std::string> storage_names(const config::Config& config) {
  std::set<std::string> names = {"fs-local"};
  for (const auto& [name, settings] : config.plugins.storage) names.insert(name);
  return {names.begin(), names.end()};
}

}  // namespace host::app
