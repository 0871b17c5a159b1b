// SPDX-License-Identifier: Apache-2.0
//
// Where a machine keeps credentials for its programs, as AWS's own tools look for them. Secrets go to whoever asks and
// into no text of an error.
#include "credentials.h"

#include <Poco/Net/IPAddress.h>
#include <Poco/String.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "encoding.h"
#include "sts.h"

namespace fs_s3 {
namespace {

constexpr auto kBeforeTheEnd = std::chrono::minutes(5);
constexpr auto kFailureHolds = std::chrono::seconds(30);
constexpr auto kConnectTime = std::chrono::seconds(2), kAnswerTime = std::chrono::seconds(5);
constexpr auto kGlance = std::chrono::milliseconds(100);  // how often a wait looks at its `stop`
constexpr int kMaxRoles = 5;
constexpr const char* kNone =
    "there are no S3 credentials: none in the account, the environment or the shared files, and "
    "neither a container nor an instance that gives any";

std::optional<Credentials> from_environment() {
  Credentials found{variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN")};
  if (found.access_key.empty() || found.secret.empty()) return std::nullopt;
  return found;
}

// Tokens go to this machine, to the agents of containers, or over TLS.
bool may_know_the_token(const Endpoint& endpoint) {
  static constexpr std::array<std::string_view, 3> kAgents{"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
  if (endpoint.tls || endpoint.host == "localhost") return true;
  if (std::ranges::find(kAgents, std::string_view(endpoint.host)) != kAgents.end()) return true;
  Poco::Net::IPAddress address;
  return Poco::Net::IPAddress::tryParse(endpoint.host, address) && address.isLoopback();
}

std::string region_of(const Profile& profile) {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (auto region = variable(name); !region.empty()) return region;
  }
  return setting(profile, "region");
}

Failure stopped() { return {SP_E_CANCELLED, "given up while credentials were looked for", 0}; }

}  // namespace

HttpClient::Settings MachineCredentials::impatient(HttpClient::Settings settings) {
  settings.connect_timeout = kConnectTime;
  settings.timeout = kAnswerTime;
  return settings;
}

// All who have no keys of their own wait for these.
constexpr auto kPatience = std::chrono::seconds(15);

// These secrets pass through no proxy, and are asked for once.
Outcome<std::string> MachineCredentials::ask(const Stop& stop, const std::string& address, const std::string& method,
                                             std::map<std::string, std::string> headers) {
  if (stop && stop()) return stopped();
  const auto scheme = address.find("://");
  const auto slash = address.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  const auto endpoint = Endpoint::parse(address.substr(0, slash));
  if (!endpoint) return Failure{SP_E_INVALID, "not an address of credentials: " + address, 0};
  headers["Host"] = endpoint->authority();
  HttpRequest request{method, slash == std::string::npos ? "/" : address.substr(slash), std::move(headers), {}, true};
  request.until = std::chrono::steady_clock::now() + kPatience;
  request.stop = stop;
  auto answer = http_.call(*endpoint, request, {}, true);
  if (!answer) return std::move(answer.failure());
  if (!answer->ok()) return Failure{SP_E_IO, endpoint->authority() + " answers " + std::to_string(answer->status), 0};
  return answer->body;
}

std::optional<Credentials> credentials_in(const Profile& profile) {
  Credentials found{setting(profile, "aws_access_key_id"), setting(profile, "aws_secret_access_key"),
                    setting(profile, "aws_session_token")};
  if (found.access_key.empty() || found.secret.empty()) return std::nullopt;
  return found;
}

std::optional<std::chrono::system_clock::time_point> time_point(const std::string& text) {
  using std::chrono::system_clock;
  const auto ns = parse_time(text);
  if (!ns) return std::nullopt;
  return system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(std::chrono::nanoseconds(*ns)));
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
  found.until = time_point(member("Expiration"));
  return found;
}

// A role is taken by the keys of another profile, which may be those of a role too.
Outcome<Expiring> MachineCredentials::from_profile(const Stop& stop, const Profiles& all, const std::string& name,
                                                   int roles) {
  const auto found = all.find(name);
  if (found == all.end()) return Failure{SP_E_NOT_FOUND, "there is no profile \"" + name + "\"", 0};
  const Profile& profile = found->second;
  const auto keys = credentials_in(profile);
  Role role{setting(profile, "role_arn"), setting(profile, "role_session_name"), setting(profile, "external_id"),
            setting(profile, "web_identity_token_file"), region_of(profile)};
  const std::string source = setting(profile, "source_profile"), place = setting(profile, "credential_source");
  const bool has_role = !role.arn.empty() && (!role.token_file.empty() || !source.empty() || !place.empty());
  if (!has_role) {
    if (keys) return Expiring{*keys, std::nullopt};
    return Failure{SP_E_NOT_FOUND, "the profile \"" + name + "\" has no keys", 0};
  }
  if (stop && stop()) return stopped();
  if (!role.token_file.empty()) return take_role(http_, role, std::nullopt, stop);
  if (roles == kMaxRoles) return Failure{SP_E_INVALID, "too many profiles refer to each other", 0};
  Outcome<Expiring> by = Failure{SP_E_INVALID, "credential_source of profile \"" + name + "\" is not known", 0};
  if (source == name && keys) {
    by = Expiring{*keys, std::nullopt};
  } else if (!source.empty()) {
    by = from_profile(stop, all, source, roles + 1);
  } else if (place == "Environment") {
    const auto given = from_environment();
    by = given ? Outcome<Expiring>(Expiring{*given, std::nullopt}) : Failure{SP_E_DENIED, kNone, 0};
  } else if (place == "EcsContainer") {
    by = from_container(stop);
  } else if (place == "Ec2InstanceMetadata") {
    by = from_instance(stop);
  }
  if (!by) return by;
  return take_role(http_, role, by->credentials, stop);
}

Outcome<Expiring> MachineCredentials::from_container(const Stop& stop) {
  std::string address = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const std::string relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty()) address = "http://169.254.170.2" + relative;
  if (address.empty()) return Failure{SP_E_NOT_FOUND, kNone, 0};
  std::string token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  const std::string file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!file.empty()) token = stripped(read_file(file));
  if (token.find_first_of("\r\n") != std::string::npos) {
    return Failure{SP_E_INVALID, "the token for the container's endpoint has more than one line", 0};
  }
  const auto endpoint = Endpoint::parse(address.substr(0, address.find('/', address.find("://") + 3)));
  if (!endpoint || !may_know_the_token(*endpoint)) {
    return Failure{SP_E_INVALID, "the container's endpoint is neither of this machine nor over TLS: " + address, 0};
  }
  std::map<std::string, std::string> headers;
  if (!token.empty()) headers["Authorization"] = token;
  auto text = ask(stop, address, "GET", std::move(headers));
  if (!text) return std::move(text.failure());
  auto found = credentials_from_json(*text);
  if (!found) return Failure{SP_E_IO, "the container's endpoint gives no credentials", 0};
  return *std::move(found);
}

Outcome<Expiring> MachineCredentials::from_instance(const Stop& stop) {
  if (Poco::icompare(variable("AWS_EC2_METADATA_DISABLED"), "true") == 0) return Failure{SP_E_DENIED, kNone, 0};
  std::string base = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  const bool over_ipv6 = Poco::icompare(variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), "ipv6") == 0;
  if (base.empty()) base = over_ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
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
  const auto profiles = profiles_of_machine();
  const std::string chosen = chosen_profile();
  if (!profiles.contains(chosen) && !variable("AWS_PROFILE").empty()) {
    return Failure{SP_E_DENIED, "AWS_PROFILE is \"" + chosen + "\", and there is no such profile", 0};
  }
  auto kept = from_profile(stop, profiles, chosen, 0);
  if (kept || kept.failure().status != SP_E_NOT_FOUND) return kept;
  if (stop && stop()) return stopped();
  const Role web{variable("AWS_ROLE_ARN"), variable("AWS_ROLE_SESSION_NAME"), "",
                 variable("AWS_WEB_IDENTITY_TOKEN_FILE"), region_of({})};
  if (!web.arn.empty() && !web.token_file.empty()) return take_role(http_, web, std::nullopt, stop);
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
