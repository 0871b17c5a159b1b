// SPDX-License-Identifier: Apache-2.0
//
// One table of password schemes: how to recognise a hash, what it costs, and how to verify against it. Worker threads;
// slow on purpose. Must not know users.
#include "host/users/password.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>

#include "host/core/limits.h"
#include "host/users/apr1.h"
#include "host/users/argon2.h"
#include "host/users/base64.h"

namespace host::users {
namespace {

constexpr std::size_t kSaltBytes = 16, kKeyBytes = 32;
constexpr std::size_t kMaxHashBytes = 512;

bool same_bytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// No NUL: crypt_r stops there and HMAC pads with it, so that "secret\0" would pass for "secret".
bool is_password(std::string_view plain) {
  return !plain.empty() && plain.size() <= core::limits::kMaxPasswordBytes &&
         plain.find('\0') == std::string_view::npos;
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The text up to and including the n-th '$'; empty when there are fewer.
std::string_view up_to_dollar(std::string_view hash, int n) {
  std::size_t at = 0;
  for (; n > 0; --n) {
    at = hash.find('$', at);
    if (at == std::string_view::npos) return {};
    ++at;
  }
  return hash.substr(0, at);
}

std::string_view argon2_cost(std::string_view hash) {
  return Argon2::parse(hash) ? up_to_dollar(hash, 4) : std::string_view();
}

bool argon2_verify(std::string_view hash, std::string_view plain) {
  const auto parsed = Argon2::parse(hash);
  if (!parsed) return false;
  const auto key = parsed->derive(plain, parsed->key.size());
  return key && same_bytes(*key, parsed->key);
}

// `$2b$NN$` and 53 characters of salt and digest.
std::string_view bcrypt_cost(std::string_view hash) {
  const auto head = up_to_dollar(hash, 3);
  const auto cost = head.size() == 7 ? number(hash.substr(4, 2)) : std::nullopt;
  return cost && *cost >= 4 && *cost <= password_limits::kBcryptCost && hash.size() == 60 ? head : std::string_view();
}

std::string_view md5_cost(std::string_view hash) {
  const auto head = up_to_dollar(hash, 3);
  return !head.empty() && hash.size() == head.size() + 22 ? up_to_dollar(hash, 2) : std::string_view();
}

// `$6$SALT$DIGEST` or `$6$rounds=N$SALT$DIGEST`.
std::string_view sha_crypt_cost(std::string_view hash) {
  const auto scheme = up_to_dollar(hash, 2);
  const std::size_t digest_chars = hash[1] == '5' ? 43 : 86;
  constexpr std::string_view kRoundsMark = "rounds=";
  const bool has_rounds = hash.substr(scheme.size()).starts_with(kRoundsMark);
  const auto head = up_to_dollar(hash, has_rounds ? 4 : 3);
  if (head.empty() || hash.size() != head.size() + digest_chars) return {};
  if (!has_rounds) return scheme;
  const auto with_rounds = up_to_dollar(hash, 3);
  const auto first = scheme.size() + kRoundsMark.size();
  const auto rounds = number(with_rounds.substr(first, with_rounds.size() - first - 1));
  return rounds && *rounds <= password_limits::kShaCryptRounds ? with_rounds : std::string_view();
}

// `$y$jNR$SALT$DIGEST`: flags as crypt_gensalt sets them, log2 of the blocks and their size in 128 bytes, both from 1.
std::string_view yescrypt_cost(std::string_view hash) {
  constexpr std::string_view kDigits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::size_t kSingleDigits = 48, kDigestChars = 43;  // larger numbers take several digits
  const auto scheme = up_to_dollar(hash, 2), cost = up_to_dollar(hash, 3), head = up_to_dollar(hash, 4);
  if (head.empty() || hash.size() != head.size() + kDigestChars) return {};
  const auto parameters = cost.substr(scheme.size());
  if (parameters.size() != 4 || parameters.front() != 'j') return {};
  const auto blocks = kDigits.find(parameters[1]) + 1, size = kDigits.find(parameters[2]) + 1;
  if (blocks > kSingleDigits || size > kSingleDigits || blocks > 30) return {};
  const bool fits = (std::uint64_t{128} << blocks) * size / 1024 <= password_limits::kYescryptMemoryKib;
  return fits ? cost : std::string_view();
}

bool crypt_verify(std::string_view hash, std::string_view plain) {
  const auto data = std::make_unique<crypt_data>();
  std::string phrase(plain);
  const std::string setting(hash);
  const char* result = crypt_r(phrase.c_str(), setting.c_str(), data.get());
  const bool good = result != nullptr && result[0] != '*' && same_bytes(result, hash);
  OPENSSL_cleanse(phrase.data(), phrase.size());
  OPENSSL_cleanse(data.get(), sizeof *data);
  return good;
}

bool apr1_verify(std::string_view hash, std::string_view plain) {
  const auto salt_start = up_to_dollar(hash, 2).size();
  const auto salt = hash.substr(salt_start, up_to_dollar(hash, 3).size() - salt_start - 1);
  const auto result = apr1_crypt(plain, salt);
  return result && same_bytes(*result, hash);
}

const EVP_MD* pbkdf2_digest(std::string_view hash) {
  if (hash.starts_with("$pbkdf2-sha1$")) return EVP_sha1();
  return hash.starts_with("$pbkdf2-sha256$") ? EVP_sha256() : EVP_sha512();
}

// `$pbkdf2-sha256$ITERATIONS$SALT$BASE64`; the salt's characters are the salt.
std::string_view pbkdf2_cost(std::string_view hash) {
  const auto scheme = up_to_dollar(hash, 2), cost = up_to_dollar(hash, 3), head = up_to_dollar(hash, 4);
  if (head.empty()) return {};
  const auto iterations = number(cost.substr(scheme.size(), cost.size() - scheme.size() - 1));
  const auto key = decode_base64(hash.substr(head.size()), Padding::kRequired);
  const bool good = iterations && *iterations >= 1 && *iterations <= password_limits::kPbkdf2Iterations && key &&
                    key->size() == static_cast<std::size_t>(EVP_MD_get_size(pbkdf2_digest(hash)));
  return good ? cost : std::string_view();
}

bool pbkdf2_verify(std::string_view hash, std::string_view plain) {
  const auto scheme = up_to_dollar(hash, 2), cost = up_to_dollar(hash, 3), head = up_to_dollar(hash, 4);
  const auto iterations = number(cost.substr(scheme.size(), cost.size() - scheme.size() - 1));
  const auto salt = head.substr(cost.size(), head.size() - cost.size() - 1);
  const auto key = decode_base64(hash.substr(head.size()), Padding::kRequired);
  std::string derived(key->size(), '\0');
  if (PKCS5_PBKDF2_HMAC(plain.data(), static_cast<int>(plain.size()),
                        reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                        static_cast<int>(*iterations), pbkdf2_digest(hash), static_cast<int>(derived.size()),
                        reinterpret_cast<unsigned char*>(derived.data())) != 1) {
    return false;
  }
  return same_bytes(derived, *key);
}

// A new salt, if `plain` is a password at all.
core::Result<std::string> salt_for(std::string_view plain) {
  if (!is_password(plain)) {
    return core::Error(
        core::Status::kInvalid,
        "a password must have 1 to " + std::to_string(core::limits::kMaxPasswordBytes) + " bytes and no NUL");
  }
  std::string salt(kSaltBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) != 1) {
    return core::Error(core::Status::kInternal, "the system gives no random numbers");
  }
  return salt;
}

struct Scheme {
  std::string_view prefix;
  std::string_view (*cost)(std::string_view hash);                // empty: not usable
  bool (*verify)(std::string_view hash, std::string_view plain);  // only for usable hashes
};

constexpr Scheme kSchemes[] = {
    {"$argon2id$", argon2_cost, argon2_verify},
    {"$2a$", bcrypt_cost, crypt_verify},
    {"$2b$", bcrypt_cost, crypt_verify},
    {"$2y$", bcrypt_cost, crypt_verify},
    {"$pbkdf2-sha1$", pbkdf2_cost, pbkdf2_verify},
    {"$pbkdf2-sha256$", pbkdf2_cost, pbkdf2_verify},
    {"$pbkdf2-sha512$", pbkdf2_cost, pbkdf2_verify},
    {"$1$", md5_cost, crypt_verify},
    {"$apr1$", md5_cost, apr1_verify},
    {"$5$", sha_crypt_cost, crypt_verify},
    {"$6$", sha_crypt_cost, crypt_verify},
    {"$y$", yescrypt_cost, crypt_verify},
};

const Scheme* find_scheme(std::string_view hash) {
  for (const auto& scheme : kSchemes) {
    if (hash.starts_with(scheme.prefix)) return &scheme;
  }
  return nullptr;
}

}  // namespace

bool is_password_hash(std::string_view text) { return find_scheme(text) != nullptr; }

std::string_view hash_cost_class(std::string_view hash) {
  if (hash.size() > kMaxHashBytes || hash.find('\0') != std::string_view::npos) return {};
  const Scheme* scheme = find_scheme(hash);
  return scheme != nullptr ? scheme->cost(hash) : std::string_view();
}

bool is_own_hash(std::string_view hash) { return hash_cost_class(hash) == up_to_dollar(Argon2().text(), 4); }

bool is_usable_hash(std::string_view text) { return !hash_cost_class(text).empty(); }

core::Result<std::string> hash_password(std::string_view plain) {
  auto salt = salt_for(plain);
  if (!salt) return salt.error();
  Argon2 hash;
  hash.salt = std::move(*salt);
  auto key = hash.derive(plain, kKeyBytes);
  if (!key) return core::Error(core::Status::kInternal, "not enough memory to hash a password");
  hash.key = std::move(*key);
  return hash.text();
}

core::Result<std::string> hash_throwaway_password(std::string_view plain) {
  auto bytes = salt_for(plain);
  if (!bytes) return bytes.error();
  constexpr int kIterations = 1000;
  const auto salt = encode_base64(*bytes, Padding::kNone);
  std::string key(kKeyBytes, '\0');
  if (PKCS5_PBKDF2_HMAC(plain.data(), static_cast<int>(plain.size()),
                        reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), kIterations,
                        EVP_sha256(), static_cast<int>(key.size()),
                        reinterpret_cast<unsigned char*>(key.data())) != 1) {
    return core::Error(core::Status::kInternal, "the password could not be hashed");
  }
  return "$pbkdf2-sha256$" + std::to_string(kIterations) + "$" + salt + "$" + encode_base64(key, Padding::kRequired);
}

bool verify_password(std::string_view hash, std::string_view plain) {
  if (!is_password(plain) || !is_usable_hash(hash)) return false;
  return find_scheme(hash)->verify(hash, plain);
}

bool verify_nothing(std::string_view plain, std::string_view like) {
  static const std::string kDefault = [] {
    Argon2 hash;
    hash.salt.assign(kSaltBytes, '\0');
    hash.key.assign(kKeyBytes, '\0');
    return hash.text();
  }();
  // The answer is thrown away; only the time counts.
  const volatile bool ignored = verify_password(is_usable_hash(like) ? like : std::string_view(kDefault), plain);
  return static_cast<void>(ignored), false;
}

}  // namespace host::users
