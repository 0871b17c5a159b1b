// SPDX-License-Identifier: Apache-2.0
//
// Which members are secret is the registry's to know, which keys there are MasterKeys'. No I/O thread. No text of an
// error holds what was to be hidden.
#include "host/users/secrets.h"

#include "host/core/log.h"
#include "host/plugin/sealed_text.h"
#include "host/users/aes_gcm.h"
#include "host/users/hex.h"
#include "host/users/validate.h"

namespace host::users {
namespace {

using core::Error;
using core::Result;
using core::Status;

bool has_settings(const User& user) {
  return !user.filesystem.settings_json.empty() && user.filesystem.settings_json != "{}";
}

// What a secret of ours belongs to. NUL stands in none of the names.
std::string bound_to(const User& user, std::string_view member) {
  std::string text = "sallyport secret";
  for (const auto part : {std::string_view(user.username), std::string_view(user.filesystem.backend), member}) {
    text += '\0';
    text += part;
  }
  return text;
}

struct Parts {
  std::string key;      // between the dollar signs
  std::string content;  // nonce, ciphertext, tag
};

Result<Parts> parts_of(std::string_view sealed, std::string_view scheme) {
  const auto end_of_key = sealed.rfind('$');
  auto content = from_hex(sealed.substr(end_of_key + 1));
  if (!content) return Error(Status::kInvalid, "is damaged");
  return Parts{std::string(sealed.substr(scheme.size(), end_of_key - scheme.size())), std::move(*content)};
}

// Errors go on where "member NAME" began.
Result<std::string> unseal_replaced(std::string_view sealed) {
  const auto parts = parts_of(sealed, plugin::kReplacedScheme);
  if (!parts) return parts.error();
  auto plain = aes_decrypt(parts->key, parts->content, {});
  if (!plain) return Error(Status::kInvalid, "is damaged");
  return std::move(*plain);
}

Result<std::string> unseal_own(std::string_view sealed, const std::string& bound, MasterKeys* keys) {
  const auto parts = parts_of(sealed, plugin::kOwnScheme);
  if (!parts) return parts.error();
  if (keys == nullptr) return Error(Status::kInvalid, "is encrypted, and there is no master key here");
  auto key = keys->find(parts->key);
  if (!key) return Error(key.error().status, "cannot be decrypted: " + key.error().message());
  if (!*key) {
    return Error(Status::kInvalid, "is encrypted under another master key (" + parts->key + "), which " +
                                       keys->source() + " does not hold" + keys->advice());
  }
  auto plain = aes_decrypt((*key)->bytes, parts->content, bound);
  if (!plain) {
    return Error(Status::kInvalid, "cannot be decrypted: it was changed, or belongs to another account or setting");
  }
  return std::move(*plain);
}

Result<std::string> unseal(const User& user, std::string_view member, std::string_view text, MasterKeys* keys) {
  if (!plugin::is_sealed(text)) return std::string(text);
  auto plain =
      text.starts_with(plugin::kOwnScheme) ? unseal_own(text, bound_to(user, member), keys) : unseal_replaced(text);
  if (plain) return plain;
  return Error(plain.error().status, "secret " + std::string(member) + " " + plain.error().text);
}

bool is_under(std::string_view text, const MasterKey& key) {
  return text.starts_with(std::string(plugin::kOwnScheme) + key.id + "$");
}

Result<std::string> seal(const User& user, std::string_view member, std::string_view text, MasterKeys& keys) {
  if (text.empty()) return std::string();
  if (plugin::is_shown_form(text)) {
    return invalid("secret " + std::string(member) +
                   " is in the form in which secrets are shown, and there is none that it could stand for");
  }
  const auto plain = unseal(user, member, text, &keys);
  if (!plain) {
    core::log::warn("dataProvider", "", "user \"" + user.username + "\" cannot log in, its " + plain.error().text);
    return std::string(text);
  }
  const auto key = keys.current();
  if (!key) return key.error();
  if (is_under(text, *key)) return std::string(text);
  const auto content = aes_encrypt(key->bytes, *plain, bound_to(user, member));
  if (!content) return Error(Status::kInternal, "a secret cannot be encrypted");
  return std::string(plugin::kOwnScheme) + key->id + "$" + to_hex(*content);
}

}  // namespace

bool has_own_secrets(std::string_view text) {
  return text.find('"' + std::string(plugin::kOwnScheme)) != std::string_view::npos;
}

Result<void> seal_secrets(User& user, plugin::Registry& registry, MasterKeys& keys) {
  if (!has_settings(user)) return core::ok();
  auto settings = registry.change_user_secrets(
      user.filesystem.backend, user.filesystem.settings_json,
      [&](std::string_view member, std::string_view text) { return seal(user, member, text, keys); });
  if (!settings) return settings.error();
  user.filesystem.settings_json = std::move(*settings);
  return core::ok();
}

Result<std::string> plain_settings(const User& user, plugin::Registry& registry, MasterKeys* keys) {
  if (!has_settings(user)) return user.filesystem.settings_json;
  return registry.change_user_secrets(
      user.filesystem.backend, user.filesystem.settings_json,
      [&](std::string_view member, std::string_view text) { return unseal(user, member, text, keys); });
}

}  // namespace host::users
