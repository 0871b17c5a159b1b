// SPDX-License-Identifier: Apache-2.0
//
// One signed or unsigned POST. Tokens and secrets go into the request's body and into no text of an error.
#include "sts.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/Timestamp.h>

#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "encoding.h"
#include "profiles.h"
#include "sigv4.h"
#include "xml.h"

namespace fs_s3 {
namespace {

constexpr std::string_view kVersion = "2011-06-15";
constexpr std::string_view kPresetRegion = "us-east-1";
constexpr auto kPatience = std::chrono::seconds(15);  // all who need this role wait

Outcome<Endpoint> endpoint_of(const Role& role) {
  std::string address = variable("AWS_ENDPOINT_URL_STS");
  if (address.empty())
    address = "https://sts." + (role.region.empty() ? "" : role.region + ".") + amazon_domain(role.region);
  while (address.ends_with('/')) address.pop_back();
  auto endpoint = Endpoint::parse(address);
  if (!endpoint) return Failure{SP_E_INVALID, "not an address of a token service: " + address, 0};
  return *std::move(endpoint);
}

Outcome<Expiring> understand(const HttpAnswer& answer, const Endpoint& endpoint) {
  Expiring found;
  std::string until, code;
  (void)parse_xml(answer.body, [&](std::string_view path, const std::string& text) {
    if (path.ends_with("/Credentials/AccessKeyId")) found.credentials.access_key = text;
    if (path.ends_with("/Credentials/SecretAccessKey")) found.credentials.secret = text;
    if (path.ends_with("/Credentials/SessionToken")) found.credentials.session_token = text;
    if (path.ends_with("/Credentials/Expiration")) until = text;
    if (path.ends_with("Error/Code")) code = text;
  });
  if (!answer.ok()) {
    std::string text = "the token service " + endpoint.authority() + " answers " + std::to_string(answer.status);
    return Failure{SP_E_DENIED, std::move(text.append(" ").append(code)), answer.status};
  }
  if (found.credentials.access_key.empty() || found.credentials.secret.empty()) {
    return Failure{SP_E_IO, "the token service " + endpoint.authority() + " gives no credentials", 0};
  }
  found.until = time_point(until);
  return found;
}

}  // namespace

Outcome<Expiring> take_role(HttpClient& http, const Role& role, const std::optional<Credentials>& by,
                            const object_common::Stop& stop) {
  auto endpoint = endpoint_of(role);
  if (!endpoint) return std::move(endpoint.failure());
  const bool by_token = !role.token_file.empty();
  std::vector<std::pair<std::string, std::string>> form{
      {"Action", by_token ? "AssumeRoleWithWebIdentity" : "AssumeRole"},
      {"Version", std::string(kVersion)},
      {"RoleArn", role.arn},
      {"RoleSessionName", role.session_name.empty() ? "sallyport" : role.session_name}};
  if (!role.external_id.empty()) form.emplace_back("ExternalId", role.external_id);
  if (by_token) {
    const std::string token = stripped(read_file(role.token_file));
    if (token.empty()) return Failure{SP_E_DENIED, "there is no token of a web identity in " + role.token_file, 0};
    form.emplace_back("WebIdentityToken", token);
  }
  const std::string body = canonical_query(form);
  HttpRequest request{
      "POST", "/", {{"content-type", "application/x-www-form-urlencoded"}}, std::as_bytes(std::span(body))};
  request.headers["host"] = endpoint->authority();
  if (!by_token && by) {
    request.headers["x-amz-date"] = Poco::DateTimeFormatter::format(Poco::Timestamp(), "%Y%m%dT%H%M%SZ");
    if (!by->session_token.empty()) request.headers["x-amz-security-token"] = by->session_token;
    const SignedRequest to_sign{"POST", "/", {}, request.headers, sha256_hex(body)};
    const Scope scope{role.region.empty() ? std::string(kPresetRegion) : role.region, "sts"};
    request.headers["authorization"] = authorization(to_sign, *by, scope, request.headers["x-amz-date"]);
  }
  request.until = std::chrono::steady_clock::now() + kPatience;
  request.stop = stop;
  auto answer = http.call(*endpoint, request, {}, true);
  if (!answer) return std::move(answer.failure());
  return understand(*answer, *endpoint);
}

}  // namespace fs_s3
