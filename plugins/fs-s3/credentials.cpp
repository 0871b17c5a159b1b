// SPDX-License-Identifier: Apache-2.0
//
// Where a machine keeps credentials for its programs, as AWS's own tools look for them. Secrets go to whoever asks and
// into no text of an error.
#include "credentials.h"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "encoding.h"

namespace fs_s3 {
namespace {

constexpr auto kBeforeTheEnd = std::chrono::minutes(5);
constexpr auto kFailureHolds = std::chrono::seconds(30);
constexpr auto kConnectTime = std::chrono::seconds(2), kAnswerTime = std::chrono::seconds(5);
constexpr auto kGlance = std::chrono::milliseconds(100);  // how often a wait looks at its `stop`
constexpr std::size_t kMaxFileBytes = 1024 * 1024;
constexpr const char* kNone =
    "there are no S3 credentials: none in the account, the environment or the shared files, and "
    "neither a container nor an instance that gives any";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string stripped(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string read_file(const std::string& name) {
  std::ifstream in(name, std::ios::binary);
  if (!in) return {};
  std::string text(kMaxFileBytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::optional<Credentials> from_environment() {
  Credentials found{variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN")};
  if (found.access_key.empty() || found.secret.empty()) return std::nullopt;
  return found;
}

std::optional<Credentials> from_files() {
  std::string profile = variable("AWS_PROFILE");
  if (profile.empty()) profile = "default";
  const std::string directory = variable("HOME") + "/.aws/";
  for (const auto& [name, preset] :
       {std::pair{"AWS_SHARED_CREDENTIALS_FILE", "credentials"}, std::pair{"AWS_CONFIG_FILE", "config"}}) {
    const std::string given = variable(name);
    if (auto found = credentials_in(read_file(given.empty() ? directory + preset : given), profile)) return found;
  }
  return std::nullopt;
}

Failure stopped() { return {SP_E_CANCELLED, "given up while credentials were looked for", 0}; }

}  // namespace

HttpClient::Settings MachineCredentials::impatient(HttpClient::Settings settings) {
  settings.connect_timeout = kConnectTime;
  settings.timeout = kAnswerTime;
  return settings;
}

// These secrets pass through no proxy, and are asked for once.
Outcome<std::string> MachineCredentials::ask(const Stop& stop, const std::string& address, const std::string& method,
                                             std::map<std::string, std::string> headers) {
  if (stop && stop()) return stopped();
  const auto scheme = address.find("://");
  const auto slash = address.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  const auto endpoint = Endpoint::parse(address.substr(0, slash));
  if (!endpoint) return Failure{SP_E_INVALID, "not an address of credentials: " + address, 0};
  headers["Host"] = endpoint->authority();
  const HttpRequest request{
      method, slash == std::string::npos ? "/" : address.substr(slash), std::move(headers), {}, true};
  auto answer = http_.call(*endpoint, request, {}, true);
  if (!answer) return std::move(answer.failure());
  if (!answer->ok()) return Failure{SP_E_IO, endpoint->authority() + " answers " + std::to_string(answer->status), 0};
  return answer->body;
}

std::optional<Credentials> credentials_in(const std::string& text, const std::string& profile) {
  Credentials found;
  bool here = false;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    line = stripped(line);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      const std::string name = stripped(line.substr(1, line.find(']') - 1));
      here = name == profile || name == "profile " + profile;
      continue;
    }
    const auto equals = line.find('=');
    if (!here || equals == std::string::npos) continue;
    const std::string key = stripped(line.substr(0, equals)), value = stripped(line.substr(equals + 1));
    if (key == "aws_access_key_id") found.access_key = value;
    if (key == "aws_secret_access_key") found.secret = value;
    if (key == "aws_session_token") found.session_token = value;
  }
  if (found.access_key.empty() || found.secret.empty()) return std::nullopt;
  return found;
}

std::optional<Expiring> credentials_from_json(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto member = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  Expiring found{{member("AccessKeyId"), member("SecretAccessKey"), member("Token")}, std::nullopt};
  if (found.credentials.access_key.empty() || found.credentials.secret.empty()) return std::nullopt;
  if (const auto until = parse_time(member("Expiration"))) {
    found.until = std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(*until)));
  }
  return found;
}

Outcome<Expiring> MachineCredentials::from_container(const Stop& stop) {
  std::string address = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const std::string relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty()) address = "http://169.254.170.2" + relative;
  if (address.empty()) return Failure{SP_E_NOT_FOUND, kNone, 0};
  std::string token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  const std::string file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!file.empty()) token = stripped(read_file(file));
  std::map<std::string, std::string> headers;
  if (!token.empty()) headers["Authorization"] = token;
  auto text = ask(stop, address, "GET", std::move(headers));
  if (!text) return std::move(text.failure());
  auto found = credentials_from_json(*text);
  if (!found) return Failure{SP_E_IO, "the container's endpoint gives no credentials", 0};
  return *std::move(found);
}

Outcome<Expiring> MachineCredentials::from_instance(const Stop& stop) {
  if (variable("AWS_EC2_METADATA_DISABLED") == "true") return Failure{SP_E_DENIED, kNone, 0};
  std::string base = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (base.empty()) base = "http://169.254.169.254";
  while (base.ends_with('/')) base.pop_back();
  auto token = ask(stop, base + "/latest/api/token", "PUT", {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}});
  if (!token) return Failure{SP_E_DENIED, std::string(kNone) + " (" + token.failure().message + ")", 0};
  const std::map<std::string, std::string> headers{{"X-aws-ec2-metadata-token", *token}};
  const std::string roles = base + "/latest/meta-data/iam/security-credentials/";
  auto role = ask(stop, roles, "GET", headers);
  if (!role) return Failure{SP_E_DENIED, "this instance has no role: " + role.failure().message, 0};
  auto text = ask(stop, roles + uri_encode(stripped(role->substr(0, role->find('\n')))), "GET", headers);
  if (!text) return std::move(text.failure());
  auto found = credentials_from_json(*text);
  if (!found) return Failure{SP_E_IO, "the instance's endpoint gives no credentials", 0};
  return *std::move(found);
}

Outcome<Expiring> MachineCredentials::look(const Stop& stop) {
  if (auto found = from_environment()) return Expiring{*std::move(found), std::nullopt};
  if (auto found = from_files()) return Expiring{*std::move(found), std::nullopt};
  auto found = from_container(stop);
  if (found || found.failure().status != SP_E_NOT_FOUND) return found;
  return from_instance(stop);
}

// With mutex_ held: there are some, and they do not end before that.
bool MachineCredentials::is_good(std::chrono::system_clock::duration beyond_now) const {
  return found_ && (!found_->until || std::chrono::system_clock::now() + beyond_now < *found_->until);
}

Outcome<Credentials> MachineCredentials::get(const Stop& stop) {
  std::unique_lock lock(mutex_);
  while (refused_ || !is_good(kBeforeTheEnd)) {
    if (looking_) {
      if (is_good({}) && !refused_) break;
      if (stop && stop()) return stopped();
      changed_.wait_for(lock, kGlance);
      continue;
    }
    if (failure_ && std::chrono::steady_clock::now() - failed_at_ < kFailureHolds) {
      if (is_good({})) break;
      return *failure_;
    }
    looking_ = true;
    lock.unlock();
    Outcome<Expiring> found = Failure{SP_E_INTERNAL, "out of memory", 0};
    try {
      found = look(stop);
    } catch (const std::exception& e) {
      found = Failure{SP_E_INTERNAL, e.what(), 0};
    }
    lock.lock();
    looking_ = false;
    changed_.notify_all();
    if (found) {
      found_ = std::move(*found);
      failure_.reset();
      refused_ = false;
      break;  // however soon they end
    }
    if (stop && stop()) return stopped();
    failure_ = std::move(found.failure());
    failed_at_ = std::chrono::steady_clock::now();
  }
  return found_->credentials;
}

void MachineCredentials::forget(const Credentials& refused) {
  const std::lock_guard lock(mutex_);
  // Another request may have been told so too, and there are new ones by now.
  if (found_ && found_->credentials.access_key == refused.access_key &&
      found_->credentials.session_token == refused.session_token) {
    refused_ = true;
  }
}

}  // namespace fs_s3
