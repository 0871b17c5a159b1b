// SPDX-License-Identifier: Apache-2.0
//
// Over OpenSSL. A nonce is random: with 96 bits, billions of secrets under one key are safe.
#include "host/users/aes_gcm.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>

namespace host::users {
namespace {

constexpr std::size_t kNonceBytes = 12, kTagBytes = 16;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* cipher) const { EVP_CIPHER_CTX_free(cipher); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* raw(std::string& text, std::size_t at) { return reinterpret_cast<unsigned char*>(text.data()) + at; }
int length(std::string_view text) { return static_cast<int>(text.size()); }

}  // namespace

std::optional<std::string> aes_encrypt(std::string_view key, std::string_view plain, std::string_view bound) {
  if (key.size() != kAesKeyBytes) return std::nullopt;
  std::string out(kNonceBytes + plain.size() + kTagBytes, '\0');
  if (RAND_bytes(raw(out, 0), kNonceBytes) != 1) return std::nullopt;
  int size = 0;
  const Cipher cipher(EVP_CIPHER_CTX_new());
  const bool done =
      cipher && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, raw(key), raw(out, 0)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &size, raw(bound), length(bound)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), raw(out, kNonceBytes), &size, raw(plain), length(plain)) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), raw(out, kNonceBytes + plain.size()), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, raw(out, kNonceBytes + plain.size())) == 1;
  if (!done) return std::nullopt;
  return out;
}

std::optional<std::string> aes_decrypt(std::string_view key, std::string_view sealed, std::string_view bound) {
  if (key.size() != kAesKeyBytes || sealed.size() < kNonceBytes + kTagBytes) return std::nullopt;
  const auto hidden = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes)), plain(hidden.size() + 1, '\0');
  int size = 0;
  const Cipher cipher(EVP_CIPHER_CTX_new());
  const bool done = cipher &&
                    EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, raw(key), raw(sealed)) == 1 &&
                    EVP_DecryptUpdate(cipher.get(), nullptr, &size, raw(bound), length(bound)) == 1 &&
                    EVP_DecryptUpdate(cipher.get(), raw(plain, 0), &size, raw(hidden), length(hidden)) == 1 &&
                    EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, raw(tag, 0)) == 1 &&
                    EVP_DecryptFinal_ex(cipher.get(), raw(plain, hidden.size()), &size) == 1;
  if (!done) return std::nullopt;
  plain.resize(hidden.size());
  return plain;
}

}  // namespace host::users
