// SPDX-License-Identifier: Apache-2.0
//
// Pure functions over OpenSSL, but for its random numbers. Any thread. No text of an error holds what was to be hidden.
#include "host/users/secrets.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "host/users/user_json.h"

namespace host::users {
namespace {

constexpr std::string_view kMark = "$aes$";
constexpr std::size_t kSealKeyBytes = 32, kNonceBytes = 12, kTagBytes = 16;
constexpr const char* kSecretMember = "access_secret";
constexpr std::string_view kWithSecret = "fs-s3";

using Bytes = std::vector<unsigned char>;
struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* cipher) const { EVP_CIPHER_CTX_free(cipher); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

std::string to_hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const auto byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::optional<Bytes> from_hex(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<unsigned char>(high * 16 + low));
  }
  return out;
}

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

core::Error damaged() { return {core::Status::kInvalid, "a stored secret is damaged"}; }

}  // namespace

bool is_sealed(std::string_view text) {
  if (!text.starts_with(kMark)) return false;
  const auto end_of_key = text.find('$', kMark.size());
  return end_of_key != text.npos && text.find('$', end_of_key + 1) == text.npos;
}

core::Result<std::string> seal(std::string_view plain) {
  std::array<unsigned char, kSealKeyBytes / 2> random{};
  std::array<unsigned char, kNonceBytes> nonce{};
  const core::Error failed(core::Status::kInternal, "a secret cannot be encrypted");
  if (RAND_bytes(random.data(), random.size()) != 1 || RAND_bytes(nonce.data(), nonce.size()) != 1) return failed;
  const std::string key = to_hex(random);
  Bytes out(nonce.begin(), nonce.end());
  out.resize(kNonceBytes + plain.size() + kTagBytes);
  int size = 0;
  const Cipher cipher(EVP_CIPHER_CTX_new());
  const bool done =
      cipher && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, raw(key), nonce.data()) == 1 &&
      EVP_EncryptUpdate(cipher.get(), out.data() + kNonceBytes, &size, raw(plain), static_cast<int>(plain.size())) ==
          1 &&
      EVP_EncryptFinal_ex(cipher.get(), out.data() + kNonceBytes + plain.size(), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out.data() + kNonceBytes + plain.size()) == 1;
  if (!done) return failed;
  return std::string(kMark) + key + "$" + to_hex(out);
}

core::Result<std::string> unseal(std::string_view sealed) {
  if (!is_sealed(sealed)) return damaged();
  const auto end_of_key = sealed.find('$', kMark.size());
  const auto key = sealed.substr(kMark.size(), end_of_key - kMark.size());
  auto data = from_hex(sealed.substr(end_of_key + 1));
  if (key.size() != kSealKeyBytes || !data || data->size() < kNonceBytes + kTagBytes) return damaged();
  const std::size_t length = data->size() - kNonceBytes - kTagBytes;
  std::string plain(length, '\0');
  int size = 0;
  auto* out = reinterpret_cast<unsigned char*>(plain.data());
  const Cipher cipher(EVP_CIPHER_CTX_new());
  const bool done =
      cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, raw(key), data->data()) == 1 &&
      EVP_DecryptUpdate(cipher.get(), out, &size, data->data() + kNonceBytes, static_cast<int>(length)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, data->data() + kNonceBytes + length) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), out + length, &size) == 1;
  if (!done) return damaged();
  return plain;
}

core::Result<void> seal_secrets(Filesystem& filesystem) {
  if (filesystem.backend != kWithSecret) return core::ok();
  Json settings = Json::parse(filesystem.settings_json, nullptr, false);
  if (!settings.is_object() || !settings.contains(kSecretMember) || !settings.at(kSecretMember).is_string()) {
    return core::ok();
  }
  const auto secret = settings.at(kSecretMember).get<std::string>();
  if (secret.empty() || is_sealed(secret)) return core::ok();
  auto sealed = seal(secret);
  if (!sealed) return sealed.error();
  settings[kSecretMember] = *sealed;
  filesystem.settings_json = settings.dump();
  return core::ok();
}

core::Result<std::string> plain_settings(const Filesystem& filesystem) {
  if (filesystem.backend != kWithSecret) return filesystem.settings_json;
  Json settings = Json::parse(filesystem.settings_json, nullptr, false);
  if (!settings.is_object() || !settings.contains(kSecretMember) || !settings.at(kSecretMember).is_string()) {
    return filesystem.settings_json;
  }
  const auto secret = settings.at(kSecretMember).get<std::string>();
  if (!is_sealed(secret)) return filesystem.settings_json;
  auto plain = unseal(secret);
  if (!plain) return plain.error();
  settings[kSecretMember] = *plain;
  return settings.dump();
}

}  // namespace host::users
