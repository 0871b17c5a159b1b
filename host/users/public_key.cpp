// SPDX-License-Identifier: Apache-2.0
//
// Reads authorized_keys lines and checks that the blob is what it says (RFC 4253 section 6.6, RFC 5656 section 3.1,
// RFC 8709 section 4). Pure functions, any thread. Whether a signature is right is not known here.
#include "host/users/public_key.h"

#include <openssl/evp.h>

#include <cstdint>
#include <optional>

#include "host/users/base64.h"

namespace host::users {
namespace {

// Layout of the fields after the type: s any string, m a positive number, e a 32-byte key, then for ECDSA c the curve
// name and p a point.
struct KeyType {
  std::string_view name, fields, curve;
  std::size_t point_bytes;
};

constexpr KeyType kTypes[] = {
    {"ssh-ed25519", "e", "", 0},
    {"ecdsa-sha2-nistp256", "cp", "nistp256", 65},
    {"ecdsa-sha2-nistp384", "cp", "nistp384", 97},
    {"ecdsa-sha2-nistp521", "cp", "nistp521", 133},
    {"ssh-rsa", "mm", "", 0},
    {"ssh-dss", "mmmm", "", 0},
    {"sk-ssh-ed25519@openssh.com", "es", "", 0},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "cps", "nistp256", 65},
};

const KeyType* find_type(std::string_view name) {
  for (const auto& type : kTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

std::optional<std::string_view> take_string(std::string_view& rest) {
  if (rest.size() < 4) return std::nullopt;
  std::uint32_t length = 0;
  for (int i = 0; i < 4; ++i) length = (length << 8) | static_cast<unsigned char>(rest[static_cast<std::size_t>(i)]);
  rest.remove_prefix(4);
  if (length > rest.size()) return std::nullopt;
  const auto out = rest.substr(0, length);
  rest.remove_prefix(length);
  return out;
}

bool is_field(const KeyType& type, char kind, std::string_view value) {
  switch (kind) {
    case 'e': return value.size() == 32;
    case 'm':
      return !value.empty() && (value.front() & 0x80) == 0 && value.find_first_not_of('\0') != std::string_view::npos;
    case 'c': return value == type.curve;
    case 'p': return value.size() == type.point_bytes && value.front() == 4;
    default: return true;
  }
}

bool is_whole_key(const KeyType& type, std::string_view blob) {
  const auto name = take_string(blob);
  if (!name || *name != type.name) return false;
  for (const char kind : type.fields) {
    const auto value = take_string(blob);
    if (!value || !is_field(type, kind, *value)) return false;
  }
  return blob.empty();
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// The next word; with `quoted`, blanks inside double quotes belong to it (options of sshd's authorized_keys).
std::string_view take_word(std::string_view& rest, bool quoted) {
  std::size_t end = 0;
  bool inside = false;
  for (; end < rest.size(); ++end) {
    const char c = rest[end];
    if (!inside && (c == ' ' || c == '\t')) break;
    if (quoted && c == '\\' && inside && end + 1 < rest.size()) {
      ++end;
    } else if (quoted && c == '"') {
      inside = !inside;
    }
  }
  const auto word = rest.substr(0, end);
  rest = trim(rest.substr(end));
  return word;
}

}  // namespace

core::Result<PublicKey> parse_public_key(std::string_view line) {
  const core::Error no_key(core::Status::kInvalid, "ssh: no key found");
  auto rest = trim(line);
  if (rest.empty() || rest.front() == '#' || rest.find_first_of(std::string_view("\n\0", 2)) != std::string_view::npos)
    return no_key;
  auto after_type = rest;
  const KeyType* type = find_type(take_word(after_type, false));
  if (type == nullptr) {
    take_word(rest, true);
    after_type = rest;
    type = find_type(take_word(after_type, false));
    if (type == nullptr) return no_key;
  }
  auto blob = decode_base64(take_word(after_type, false), Padding::kRequired);
  if (!blob || !is_whole_key(*type, *blob)) return no_key;
  return PublicKey{std::string(type->name), std::move(*blob), std::string(after_type)};
}

std::string key_fingerprint(std::string_view blob) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(blob.data(), blob.size(), digest, &size, EVP_sha256(), nullptr) != 1) size = 0;
  return "SHA256:" + encode_base64({reinterpret_cast<const char*>(digest), size}, Padding::kNone);
}

}  // namespace host::users
