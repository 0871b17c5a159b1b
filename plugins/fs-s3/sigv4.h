// SPDX-License-Identifier: Apache-2.0
//
// AWS Signature Version 4, as its public description has it ("Signature Version 4 signing process").
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fs_s3 {

struct Credentials {
  std::string access_key, secret, session_token;
};

// Where and for what a signature holds.
struct Scope {
  std::string region, service = "s3";
};

struct SignedRequest {
  std::string method;
  std::string path;                                        // encoded, begins with '/'
  std::vector<std::pair<std::string, std::string>> query;  // not encoded
  std::map<std::string, std::string> headers;              // all that is signed; names in lower case; has "host"
  std::string payload_hash;                                // SHA-256 in hex, or UNSIGNED-PAYLOAD
};

// "name=value&..." encoded and in order: part of the address as well as of what is signed.
std::string canonical_query(const std::vector<std::pair<std::string, std::string>>& query);
std::string canonical_request(const SignedRequest& request);
// The value of the Authorization header. `time` is "20130524T000000Z" and equals the header x-amz-date.
std::string authorization(const SignedRequest& request, const Credentials& credentials, const Scope& scope,
                          std::string_view time);

}  // namespace fs_s3
