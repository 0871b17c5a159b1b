// SPDX-License-Identifier: Apache-2.0
//
// The MD5-crypt construction with the magic "$apr1$", which libcrypt does not have: an alternate digest of
// password-salt-password is mixed in by length and by the bits of the length, then a thousand rounds, then an unusual
// base64. Worker threads.
#include "host/users/apr1.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

namespace host::users {
namespace {

constexpr std::string_view kMagic = "$apr1$";
constexpr std::size_t kDigestBytes = 16;
constexpr int kRounds = 1000;

class Md5 {
 public:
  Md5() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    good_ = context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) == 1;
  }
  Md5& add(std::string_view bytes) {
    good_ = good_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
    return *this;
  }
  // Empty on failure.
  std::string finish() {
    std::string out(kDigestBytes, '\0');
    good_ = good_ && EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr) == 1;
    return good_ ? out : std::string();
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
  bool good_ = false;
};

std::string first_digest(std::string_view plain, std::string_view salt) {
  const std::string alternate = Md5().add(plain).add(salt).add(plain).finish();
  if (alternate.empty()) return {};
  Md5 md5;
  md5.add(plain).add(kMagic).add(salt);
  for (auto left = plain.size(); left > 0; left -= std::min(left, kDigestBytes)) {
    md5.add(std::string_view(alternate).substr(0, std::min(left, kDigestBytes)));
  }
  for (auto length = plain.size(); length > 0; length >>= 1) {
    md5.add((length & 1) != 0 ? std::string_view("\0", 1) : plain.substr(0, 1));
  }
  return md5.finish();
}

std::string stretch(std::string digest, std::string_view plain, std::string_view salt) {
  for (int round = 0; round < kRounds && !digest.empty(); ++round) {
    Md5 md5;
    md5.add((round & 1) != 0 ? plain : digest);
    if (round % 3 != 0) md5.add(salt);
    if (round % 7 != 0) md5.add(plain);
    md5.add((round & 1) != 0 ? std::string_view(digest) : plain);
    digest = md5.finish();
  }
  return digest;
}

std::string encode(std::string_view digest) {
  static constexpr std::string_view kAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string out;
  const auto put = [&](unsigned value, int count) {
    for (; count > 0; --count, value >>= 6) out += kAlphabet[value & 63];
  };
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(digest[i])); };
  for (std::size_t i = 0; i < 5; ++i) put(byte(i) << 16 | byte(i + 6) << 8 | byte(i == 4 ? 5 : i + 12), 4);
  put(byte(11), 2);
  return out;
}

}  // namespace

std::optional<std::string> apr1_crypt(std::string_view plain, std::string_view salt) {
  salt = salt.substr(0, 8);
  const std::string digest = stretch(first_digest(plain, salt), plain, salt);
  if (digest.empty()) return std::nullopt;
  return std::string(kMagic) + std::string(salt) + "$" + encode(digest);
}

}  // namespace host::users
