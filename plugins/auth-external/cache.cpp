// SPDX-License-Identifier: Apache-2.0
//
// HMAC-SHA-256 under a key of this process: a memory dump gives no list of digests to try passwords on elsewhere.
#include "cache.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <sallyport/cpp/base.hpp>

namespace auth_external {
namespace {

constexpr std::size_t kMostEntries = 1000;

void add(std::string& out, std::string_view part) {
  out += std::to_string(part.size()) + ":";
  out += part;
}

}  // namespace

Cache::Cache(std::chrono::seconds time) : time_(time) { RAND_bytes(secret_.data(), static_cast<int>(secret_.size())); }

Cache::Digest Cache::digest(const sp_auth_request& request) const {
  std::string text = std::to_string(request.method);
  add(text, sallyport::view(request.user));
  add(text, sallyport::view(request.address));
  add(text, {static_cast<const char*>(request.secret.ptr), request.secret.len});
  add(text, sallyport::view(request.public_key));
  Digest out{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &size);
  OPENSSL_cleanse(text.data(), text.size());
  return out;
}

std::optional<std::string> Cache::find(const sp_auth_request& request) {
  if (time_.count() == 0) return std::nullopt;
  const auto key = digest(request);
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || Clock::now() >= found->second.until) return std::nullopt;
  return found->second.answer;
}

void Cache::keep(const sp_auth_request& request, const std::string& answer) {
  if (time_.count() == 0) return;
  const auto key = digest(request);
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kMostEntries)
    std::erase_if(entries_, [&](const auto& each) { return now >= each.second.until; });
  if (entries_.size() >= kMostEntries) entries_.clear();
  entries_[key] = {answer, now + time_};
}

}  // namespace auth_external
