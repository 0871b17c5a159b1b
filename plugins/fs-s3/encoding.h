// SPDX-License-Identifier: Apache-2.0
//
// Texts as S3 wants them: names in addresses, digests, times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct evp_md_ctx_st;  // OpenSSL's

namespace fs_s3 {

// RFC 3986: everything but letters, digits and "-._~" becomes %XX.
std::string uri_encode(std::string_view text, bool keep_slashes = false);
// Nothing: a broken %XX.
std::optional<std::string> uri_decode(std::string_view text);

using Digest = std::vector<unsigned char>;
std::string hex(std::span<const unsigned char> bytes);
Digest sha256(std::span<const std::byte> data);
// The same of data that comes piece by piece. One thread at a time.
class Sha256 {
 public:
  Sha256();
  void add(std::span<const std::byte> data);
  Digest so_far() const;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};
Digest hmac_sha256(std::span<const unsigned char> key, std::string_view text);
// The ETag of an object that was put whole.
std::string etag_of(std::span<const std::byte> data);
// The ETag of an object made of parts with these; empty: theirs are no digests.
std::string etag_of_parts(const std::vector<std::string>& etags);
inline std::string sha256_hex(std::string_view text) { return hex(sha256(std::as_bytes(std::span(text)))); }

// Nanoseconds since 1970 from the times of headers ("Wed, 21 Oct 2015 07:28:00 GMT") and of listings
// ("2015-10-21T07:28:00.000Z"); nothing when it is neither.
std::optional<std::int64_t> parse_time(const std::string& text);

}  // namespace fs_s3
