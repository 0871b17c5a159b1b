// SPDX-License-Identifier: Apache-2.0
//
// Pure functions: text in, text out. Secrets pass through and are kept nowhere.
#include "sigv4.h"

#include <algorithm>

#include "encoding.h"

namespace fs_s3 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::size_t kDateLength = 8;  // "20130524" of the time

std::string signed_headers(const SignedRequest& request) {
  std::string names;
  for (const auto& [name, value] : request.headers) names += (names.empty() ? "" : ";") + name;
  return names;
}

// Without spaces around it, and one where there are several.
std::string trimmed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

Digest signing_key(const Credentials& credentials, const Scope& scope, std::string_view date) {
  const std::string secret = "AWS4" + credentials.secret;
  Digest key(secret.begin(), secret.end());
  for (const std::string_view step :
       {date, std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")}) {
    key = hmac_sha256(key, step);
  }
  return key;
}

}  // namespace

std::string canonical_query(const std::vector<std::pair<std::string, std::string>>& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(uri_encode(name), uri_encode(value));
  std::ranges::sort(encoded);
  std::string out;
  for (const auto& [name, value] : encoded) out += (out.empty() ? "" : "&") + name + "=" + value;
  return out;
}

std::string canonical_request(const SignedRequest& request) {
  std::string text = request.method + "\n" + request.path + "\n" + canonical_query(request.query) + "\n";
  for (const auto& [name, value] : request.headers) text += name + ":" + trimmed(value) + "\n";
  return text + "\n" + signed_headers(request) + "\n" + request.payload_hash;
}

std::string authorization(const SignedRequest& request, const Credentials& credentials, const Scope& scope,
                          std::string_view time) {
  const auto date = time.substr(0, kDateLength);
  const std::string range = std::string(date) + "/" + scope.region + "/" + scope.service + "/aws4_request";
  const std::string to_sign =
      std::string(kAlgorithm) + "\n" + std::string(time) + "\n" + range + "\n" + sha256_hex(canonical_request(request));
  const std::string signature = hex(hmac_sha256(signing_key(credentials, scope, date), to_sign));
  return std::string(kAlgorithm) + " Credential=" + credentials.access_key + "/" + range +
         ", SignedHeaders=" + signed_headers(request) + ", Signature=" + signature;
}

}  // namespace fs_s3
