// SPDX-License-Identifier: Apache-2.0
//
// Flags of `portable` -> configuration and account. What values are allowed is decided where a file or the REST API
// would have them decided; only what is about portable mode itself is looked at here. Main thread, before any other.
#include <sys/random.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "host/cli/duration.h"
#include "host/cli/environment.h"
#include "host/cli/password_input.h"
#include "host/cli/portable_flags.h"
#include "host/config/keys.h"
#include "host/config/rules.h"
#include "host/users/base64.h"
#include "host/users/cidr.h"
#include "host/users/master_keys.h"
#include "host/users/user_json.h"

namespace host::cli {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::Result;
using core::Status;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxCredentialsBytes = 1048576;
constexpr std::size_t kPasswordLength = 8;
constexpr int kMaxAuthTries = 12;

Error refused(std::string text) { return {Status::kInvalid, std::move(text)}; }

std::vector<std::string> split(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const auto& text : texts) {
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find(',', at), text.size());
      if (end > at) parts.push_back(text.substr(at, end - at));
      at = end + 1;
    }
  }
  return parts;
}

Result<std::string> random_password() {
  std::string password;
  while (password.size() < kPasswordLength) {
    unsigned char byte = 0;
    if (::getrandom(&byte, 1, 0) != 1) {
      if (errno == EINTR) continue;
      return Error(Status::kInternal, "the system gives no random numbers");
    }
    // Those that are letters and digits already: each as probable as the next.
    if (byte < 0x80 && std::isalnum(byte) != 0) password += static_cast<char>(byte);
  }
  return password;
}

bool is_loopback(const std::string& address) {
  static const std::array<users::Cidr, 2> kLoopback = {*users::parse_network("127.0.0.0/8"),
                                                       *users::parse_network("::1")};
  const auto ip = users::parse_ip(address);
  return ip && users::any_contains(kLoopback, *ip);
}

// {"file_extensions": [...]} from "/sub=.zip,.rar".
Result<Json> filters(const PortableFlags& flags) {
  Json by_path = Json::object();
  for (const auto& [texts, member] : {std::pair(&flags.allowed_extensions, "allowed_extensions"),
                                      std::pair(&flags.denied_extensions, "denied_extensions")}) {
    for (const auto& text : *texts) {
      const auto equals = text.rfind('=');
      const auto path = equals == std::string::npos ? std::string("/") : text.substr(0, equals);
      auto& entry = by_path[path];
      entry["path"] = path;
      for (auto& ending : split({text.substr(equals == std::string::npos ? 0 : equals + 1)})) {
        entry[member].push_back(std::move(ending));
      }
    }
  }
  Json list = Json::array();
  for (auto& [path, entry] : by_path.items()) list.push_back(std::move(entry));
  return Result<Json>(boost::system::in_place_value, Json{{"file_extensions", std::move(list)}});
}

Result<std::string> credentials_in(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(kMaxCredentialsBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) return Error(Status::kNotFound, "--gcs-credentials-file: " + file + " cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() <= kMaxCredentialsBytes) return text;
  return refused("--gcs-credentials-file: " + file + " has more than " + std::to_string(kMaxCredentialsBytes) +
                 " bytes");
}

// The account's `filesystem` member.
Result<Json> filesystem(const PortableFlags& flags) {
  const auto done = [](Json json) { return Result<Json>(boost::system::in_place_value, std::move(json)); };
  if (!flags.faults.empty()) {
    if (flags.fs_provider != 0) return refused("--fault: wraps local files only, --fs-provider 0");
    return done({{"provider", "fs-fault"}});
  }
  // Whoever names a bucket does not mean the working directory.
  const auto bucket_in = [](const auto& options) {
    const auto found = options.find("bucket");
    return found != options.end() && !found->second.empty();
  };
  if (flags.fs_provider != 1 && bucket_in(flags.s3)) return refused("--s3-bucket: wants --fs-provider 1");
  if (flags.fs_provider != 2 && bucket_in(flags.gcs)) return refused("--gcs-bucket: wants --fs-provider 2");
  Json settings = Json::object();
  for (const auto& [member, value] : flags.fs_provider == 1 ? flags.s3 : flags.gcs) {
    if (!value.empty()) settings[member] = value;
  }
  if (flags.fs_provider == 1) return done({{"provider", 1}, {"s3config", std::move(settings)}});
  if (flags.fs_provider != 2) return done({{"provider", 0}});
  settings["automatic_credentials"] = flags.gcs_automatic_credentials;
  if (!flags.gcs_credentials_file.empty()) {
    const auto credentials = credentials_in(flags.gcs_credentials_file);
    if (!credentials) return credentials.error();
    settings["credentials"] = users::encode_base64(*credentials, users::Padding::kRequired);
    settings["automatic_credentials"] = 0;
  }
  return done({{"provider", 2}, {"gcsconfig", std::move(settings)}});
}

Result<std::string> home_of(const PortableFlags& flags) {
  std::error_code failed;
  if (flags.fs_provider != 0) {
    return fs::path(flags.directory).is_absolute() ? flags.directory : fs::temp_directory_path(failed).string();
  }
  auto directory = fs::absolute(flags.directory, failed).lexically_normal();
  if (!directory.has_filename()) directory = directory.parent_path();
  const auto status = fs::status(directory, failed);
  if (fs::is_directory(status)) return directory.string();
  const std::string why = status.type() == fs::file_type::not_found ? "no such directory"
                          : status.type() == fs::file_type::none    ? failed.message()
                                                                    : "not a directory";
  return Error(Status::kNotFound, "--directory: " + directory.string() + ": " + why);
}

Result<users::User> account(const PortableFlags& flags, PortablePlan& plan) {
  auto fields = flags.account;
  std::string secret = text_from_environment("SFTPGO_PORTABLE_PASSWORD", "");
  std::string password = flags.password;
  if (password.empty() && fields.password_file) {
    auto line = password_from_file(*fields.password_file);
    if (!line) return line.error();
    password = std::move(*line);
    plan.show_password = false;
  } else if (password.empty() && !secret.empty()) {
    password = std::move(secret);
    plan.show_password = false;
  }
  fields.password_file.reset();
  fields.public_keys = split(fields.public_keys);
  auto json = to_json(fields);
  if (!json) return json.error();
  const bool has_key = !fields.public_keys.empty() || !fields.public_key_files.empty();
  if (password.empty() && !has_key) {
    auto made = random_password();
    if (!made) return made.error();
    password = std::move(*made);
  }
  (*json)["username"] = flags.username.empty() ? "user" : flags.username;
  (*json)["status"] = 1;
  (*json)["password"] = password;
  (*json)["permissions"] = {{"/", split(flags.permissions)}};
  for (const auto& [member, made] :
       {std::pair("filters", filters(flags)), std::pair("filesystem", filesystem(flags))}) {
    if (!made) return made.error();
    (*json)[member] = *made;
  }
  auto home = home_of(flags);
  if (!home) return home.error();
  (*json)["home_dir"] = *home;
  plan.directory = flags.fs_provider == 0   ? *home
                   : flags.fs_provider == 1 ? "s3://" + flags.s3.at("bucket") + "/" + flags.s3.at("key_prefix")
                                            : "gs://" + flags.gcs.at("bucket") + "/" + flags.gcs.at("key_prefix");
  users::User user;
  if (auto merged = users::merge_json(user, *json); !merged) return in_options(merged.error(), fields);
  return user;
}

Result<config::Config> configuration(const PortableFlags& flags) {
  config::Config config;
  std::error_code failed;
  config.dir = fs::current_path(failed);
  config.data_provider.driver = "memory";
  config.data_provider.name.clear();
  config.data_provider.track_quota = 0;
  config.data_provider.master_key = users::MasterKeys::random_text();  // nothing is left behind
  config.httpd.bind_port = 0;
  config.sftpd.bind_port = flags.port;
  config.sftpd.bind_address = flags.bind_address;
  config.sftpd.max_auth_tries = kMaxAuthTries;
  config.sftpd.enabled_ssh_commands = split(flags.ssh_commands);
  config.sftpd.keys = flags.host_keys;
  const auto check = [](const std::string& option, const char* path, const std::string& text) -> Result<void> {
    const auto& key = *config::find_key(path);
    if (config::text_allowed(key.rule, text)) return core::ok();
    return refused(option + ": found \"" + text + "\", allowed is " + config::allowed_values(key));
  };
  for (const auto& command : config.sftpd.enabled_ssh_commands) {
    if (auto good = check("--ssh-commands", "sftpd.enabled_ssh_commands", command); !good) return good.error();
  }
  if (auto good = check("--bind-address", "sftpd.bind_address", flags.bind_address); !good) return good.error();
  if (!flags.faults.empty()) config.plugins.storage["fs-fault"] = Json{{"faults", flags.faults}}.dump();
  return config;
}

// Whoever lets everybody in should know that everybody is able to come.
Result<void> bind_for_everybody(const PortableFlags& flags, config::Config& config) {
  auto& address = config.sftpd.bind_address;
  if (!flags.any_credentials || flags.allow_insecure) return core::ok();
  if (address.empty()) address = "127.0.0.1";
  if (is_loopback(address)) return core::ok();
  return refused("--any-credentials would let everybody in who reaches " + address +
                 ": bind to 127.0.0.1 or ::1, or add --allow-insecure");
}

}  // namespace

Result<PortablePlan> plan_portable(const PortableFlags& flags) {
  PortablePlan plan;
  auto& options = plan.options;
  auto config = configuration(flags);
  if (!config) return config.error();
  options.config = std::move(*config);
  if (auto bound = bind_for_everybody(flags, options.config); !bound) return bound.error();
  auto user = account(flags, plan);
  if (!user) return user.error();
  options.account = std::move(*user);
  if (!flags.log_file.empty()) {
    options.log.emplace();
    options.log->path = flags.log_file;
  }
  if (!flags.exit_after.empty()) {
    auto time = parse_duration(flags.exit_after);
    if (!time) return refused("--exit-after: " + time.error().text);
    options.exit_after = *time;
  }
  if (flags.fs_provider != 0) options.store = plan.directory;
  options.any_credentials = flags.any_credentials;
  options.with_parent = flags.with_parent;
  options.advertise = flags.advertise && (flags.advertise_given || !is_loopback(options.config.sftpd.bind_address));
  options.advertise_credentials = flags.advertise_credentials;
  return plan;
}

}  // namespace host::cli
