// SPDX-License-Identifier: Apache-2.0
//
// Keeps at most sixteen samples, one per cost class. Login workers. Must not know the store.
#include "host/auth/decoy.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

#include "host/users/password.h"

namespace host::auth {
namespace {

// The digest is the last part of every scheme: other characters of the alphabet there cost the same to check.
std::string without_secret(std::string_view hash) {
  constexpr std::size_t kShortestDigest = 22;
  std::string sample(hash);
  const auto keep = sample.size() - std::min(sample.size(), kShortestDigest);
  for (auto i = keep; i < sample.size(); ++i) {
    if (sample[i] != '=' && sample[i] != '$') sample[i] = 'A';
  }
  return users::is_usable_hash(sample) ? sample : std::string(hash);
}

}  // namespace

Decoy::Decoy() {
  // Without random numbers the choice is merely predictable.
  if (RAND_bytes(secret_.data(), static_cast<int>(secret_.size())) != 1) secret_.fill(0x5a);
}

void Decoy::learn(std::string_view hash) {
  const auto cost = users::hash_cost_class(hash);
  if (cost.empty()) return;
  const std::lock_guard lock(mutex_);
  const bool known = std::any_of(classes_.begin(), classes_.end(), [&](const Class& c) { return c.cost == cost; });
  if (known || classes_.size() == kMaxClasses) return;
  classes_.push_back({std::string(cost), without_secret(hash)});
}

std::string Decoy::pick(std::string_view username) const {
  unsigned char digest[EVP_MAX_MD_SIZE] = {};
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
       reinterpret_cast<const unsigned char*>(username.data()), username.size(), digest, &size);
  std::uint64_t number = 0;
  std::memcpy(&number, digest, sizeof number);
  const std::lock_guard lock(mutex_);
  return classes_.empty() ? std::string() : classes_[number % classes_.size()].sample;
}

}  // namespace host::auth
