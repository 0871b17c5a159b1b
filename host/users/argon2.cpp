// SPDX-License-Identifier: Apache-2.0
//
// argon2id (RFC 9106) over libargon2, on the calling thread alone: under load every worker hashes anyway, and no thread
// is made per login. Worker threads.
#include "host/users/argon2.h"

#include <argon2.h>

#include <charconv>

#include "host/users/base64.h"
#include "host/users/password.h"

namespace host::users {
namespace {

constexpr std::string_view kHead = "$argon2id$v=19$";
constexpr std::size_t kMinSaltBytes = 8, kMaxSaltBytes = 128, kMinKeyBytes = 16, kMaxKeyBytes = 128;

// Reads `NAME=number` and the separator behind it.
bool take_number(std::string_view& text, std::string_view name, char separator, std::uint32_t& out) {
  if (!text.starts_with(name)) return false;
  text.remove_prefix(name.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end == text.data() + text.size() || *end != separator) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

bool is_bounded(const Argon2& hash) {
  using namespace password_limits;
  return hash.lanes >= 1 && hash.lanes <= kArgonLanes && hash.passes >= 1 && hash.passes <= kArgonPasses &&
         hash.memory_kib >= 8 * hash.lanes && hash.memory_kib <= kArgonMemoryKib &&
         static_cast<unsigned long>(hash.memory_kib) * hash.passes <= kArgonWorkKib;
}

}  // namespace

std::optional<Argon2> Argon2::parse(std::string_view text) {
  if (!text.starts_with(kHead)) return std::nullopt;
  text.remove_prefix(kHead.size());
  Argon2 hash;
  if (!take_number(text, "m=", ',', hash.memory_kib) || !take_number(text, "t=", ',', hash.passes) ||
      !take_number(text, "p=", '$', hash.lanes) || !is_bounded(hash)) {
    return std::nullopt;
  }
  const auto dollar = text.find('$');
  if (dollar == std::string_view::npos) return std::nullopt;
  auto salt = decode_base64(text.substr(0, dollar), Padding::kNone);
  auto key = decode_base64(text.substr(dollar + 1), Padding::kNone);
  if (!salt || !key || salt->size() < kMinSaltBytes || salt->size() > kMaxSaltBytes || key->size() < kMinKeyBytes ||
      key->size() > kMaxKeyBytes) {
    return std::nullopt;
  }
  hash.salt = std::move(*salt);
  hash.key = std::move(*key);
  return hash;
}

std::string Argon2::text() const {
  return std::string(kHead) + "m=" + std::to_string(memory_kib) + ",t=" + std::to_string(passes) +
         ",p=" + std::to_string(lanes) + "$" + encode_base64(salt, Padding::kNone) + "$" +
         encode_base64(key, Padding::kNone);
}

std::optional<std::string> Argon2::derive(std::string_view plain, std::size_t size) const {
  std::string out(size, '\0');
  std::string password(plain), salt_copy(salt);  // the C interface takes both as mutable
  argon2_context context{};
  context.out = reinterpret_cast<std::uint8_t*>(out.data());
  context.outlen = static_cast<std::uint32_t>(out.size());
  context.pwd = reinterpret_cast<std::uint8_t*>(password.data());
  context.pwdlen = static_cast<std::uint32_t>(password.size());
  context.salt = reinterpret_cast<std::uint8_t*>(salt_copy.data());
  context.saltlen = static_cast<std::uint32_t>(salt_copy.size());
  context.t_cost = passes;
  context.m_cost = memory_kib;
  context.lanes = lanes;
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  context.flags = ARGON2_FLAG_CLEAR_PASSWORD;
  if (argon2_ctx(&context, Argon2_id) != ARGON2_OK) return std::nullopt;
  return out;
}

}  // namespace host::users
