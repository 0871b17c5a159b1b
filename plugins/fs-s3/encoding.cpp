// SPDX-License-Identifier: Apache-2.0
//
// Pure functions over OpenSSL. Any thread.
#include "encoding.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <stdexcept>

namespace fs_s3 {
namespace {

constexpr int kFirstYearOfTm = 1900;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr auto kNoDigest = "no digest to be had";
constexpr std::string_view kUpperHex = "0123456789ABCDEF";
constexpr std::string_view kLowerHex = "0123456789abcdef";

bool is_plain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

Digest digest(const EVP_MD* kind, const void* data, std::size_t size) {
  Digest out(static_cast<std::size_t>(EVP_MD_get_size(kind)));
  if (EVP_Digest(data, size, out.data(), nullptr, kind, nullptr) != 1) throw std::runtime_error(kNoDigest);
  return out;
}

}  // namespace

std::string uri_encode(std::string_view text, bool keep_slashes) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_plain(c) || (keep_slashes && c == '/')) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kUpperHex[byte >> 4];
    out += kUpperHex[byte & 15];
  }
  return out;
}

std::optional<std::string> uri_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? nibble(text[i + 1]) : -1;
      const int low = high >= 0 ? nibble(text[i + 2]) : -1;
      if (low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string hex(std::span<const unsigned char> bytes) {
  std::string out;
  for (const auto byte : bytes) {
    out += kLowerHex[byte >> 4];
    out += kLowerHex[byte & 15];
  }
  return out;
}

Digest sha256(std::span<const std::byte> data) { return digest(EVP_sha256(), data.data(), data.size()); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex2(context_.get(), EVP_sha256(), nullptr) != 1) throw std::runtime_error(kNoDigest);
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

void Sha256::add(std::span<const std::byte> data) {
  if (EVP_DigestUpdate(context_.get(), data.data(), data.size()) != 1) throw std::runtime_error(kNoDigest);
}

Digest Sha256::so_far() const {
  const Sha256 end;
  Digest out(static_cast<std::size_t>(EVP_MD_get_size(EVP_sha256())));
  const bool good = EVP_MD_CTX_copy_ex(end.context_.get(), context_.get()) == 1 &&
                    EVP_DigestFinal_ex(end.context_.get(), out.data(), nullptr) == 1;
  if (!good) throw std::runtime_error(kNoDigest);
  return out;
}

std::string etag_of(std::span<const std::byte> data) {
  return "\"" + hex(digest(EVP_md5(), data.data(), data.size())) + "\"";
}

std::string etag_of_parts(const std::vector<std::string>& etags) {
  constexpr std::size_t kHexBytes = 32;
  std::string all;
  for (const auto& etag : etags) {
    const auto text =
        etag.size() == kHexBytes + 2 ? std::string_view(etag).substr(1, kHexBytes) : std::string_view(etag);
    if (text.size() != kHexBytes) return {};
    for (std::size_t i = 0; i < kHexBytes; i += 2) {
      const int high = nibble(text[i]), low = nibble(text[i + 1]);
      if (high < 0 || low < 0) return {};
      all += static_cast<char>(high * 16 + low);
    }
  }
  return "\"" + hex(digest(EVP_md5(), all.data(), all.size())) + "-" + std::to_string(etags.size()) + "\"";
}

Digest hmac_sha256(std::span<const unsigned char> key, std::string_view text) {
  Digest out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data, text.size(), out.data(), &size) == nullptr) {
    throw std::runtime_error("no HMAC to be had");
  }
  out.resize(size);
  return out;
}

std::optional<std::int64_t> parse_time(const std::string& text) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::tm time{};
  std::array<char, 4> month{};
  if (std::sscanf(text.c_str(), "%*3s, %2d %3s %4d %2d:%2d:%2d GMT", &time.tm_mday, month.data(), &time.tm_year,
                  &time.tm_hour, &time.tm_min, &time.tm_sec) == 6) {
    const auto at = kMonths.find(month.data());
    if (at == std::string_view::npos) return std::nullopt;
    time.tm_mon = static_cast<int>(at / 3);
  } else if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &time.tm_year, &time.tm_mon, &time.tm_mday,
                         &time.tm_hour, &time.tm_min, &time.tm_sec) == 6) {
    time.tm_mon -= 1;
  } else {
    return std::nullopt;
  }
  time.tm_year -= kFirstYearOfTm;
  return std::int64_t{::timegm(&time)} * kNsPerSecond;
}

}  // namespace fs_s3
