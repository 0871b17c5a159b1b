// SPDX-License-Identifier: Apache-2.0
//
// Texts to keys. A file with one bad line is refused as a whole, and while the server runs the keys it had stay in
// force.
#include "host/users/master_keys.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "host/core/log.h"
#include "host/core/random.h"
#include "host/users/aes_gcm.h"
#include "host/users/hex.h"

namespace host::users {
namespace {

using core::Error;
using core::Result;
using core::Status;

constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kMostKeys = 100;
constexpr std::string_view kFileHead =
    "# Encrypts the secrets of accounts (docs/accounts.md). Keep a copy: without it they are lost.\n";

MasterKey key_of(std::string bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  const std::string text = "sallyport master key " + bytes;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return {to_hex({reinterpret_cast<const char*>(digest.data()), kIdBytes}), std::move(bytes)};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const auto begin = text.find_first_not_of(kBlanks);
  return begin == text.npos ? std::string_view() : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// What is wrong is told by its number: the text may be most of a key.
Result<std::vector<MasterKey>> parse(std::string_view text, char separator, const std::string& where) {
  std::vector<MasterKey> keys;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find(separator), text.size());
    const auto entry = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (entry.empty() || entry.front() == '#') continue;
    auto bytes = from_hex(entry);
    if (!bytes || bytes->size() != kAesKeyBytes) {
      return Error(Status::kInvalid, where + (separator == ',' ? " entry " : " line ") + std::to_string(number) +
                                         ": not a key, which has 64 hexadecimal digits (openssl rand -hex 32)");
    }
    keys.push_back(key_of(std::move(*bytes)));
    if (keys.size() > kMostKeys) return Error(Status::kInvalid, where + " has more than 100 keys");
  }
  return keys;
}

constexpr char kNewKey[] = "make a new one in its place (openssl rand -hex 32, mode 0600)";
constexpr char kFileSetting[] = "data_provider.master_key_file: ";

}  // namespace

MasterKeys::MasterKeys(MasterKeyOptions options) : options_(std::move(options)) {}

std::string MasterKeys::random_text() { return core::random_text(2 * kAesKeyBytes); }

std::string MasterKeys::source() const {
  return !options_.keys.empty()  ? "data_provider.master_key"
         : options_.file.empty() ? "the memory of this process"
                                 : options_.file.string();
}

std::string MasterKeys::advice() const {
  const std::string anew = "give the account the secret anew";
  if (!options_.keys.empty()) return ": add the key to it, or " + anew;
  if (options_.file.empty()) return "";
  std::error_code failed;
  if (std::filesystem::exists(options_.file, failed)) {
    return ": add the key, from a copy of the file, as a line, or " + anew;
  }
  return std::string(", as there is no such file: put its copy back; if it is lost, ") + kNewKey + " and " + anew;
}

Result<std::unique_ptr<MasterKeys>> MasterKeys::open(MasterKeyOptions options) {
  std::unique_ptr<MasterKeys> made(new MasterKeys(std::move(options)));
  if (!made->options_.keys.empty()) {
    auto keys = parse(made->options_.keys, ',', "data_provider.master_key");
    if (!keys) return keys.error();
    if (keys->empty()) return Error(Status::kInvalid, "data_provider.master_key holds no key");
    made->keys_ = std::move(*keys);
    return made;
  }
  if (made->options_.file.empty()) return made;
  const std::lock_guard lock(made->mutex_);
  const auto done = made->refresh();
  if (!done && !(done.error().status == Status::kNotFound && made->options_.make_file)) return done.error();
  return made;
}

// Under mutex_. Without any keys a failure is told, later it is logged: once, and what was read before stays.
Result<void> MasterKeys::refresh() {
  if (!options_.keys.empty() || options_.file.empty()) return core::ok();
  const auto stamp = stamp_of(options_.file);
  if (stamp == stamp_ && !keys_.empty()) return core::ok();
  auto keys = read();
  if (keys_.empty() && !keys) return keys.error();
  stamp_ = stamp;
  if (!keys) {
    core::log::error("dataProvider", "", keys.error().text + "; the keys that were read before stay in force");
    return core::ok();
  }
  if (!keys_.empty()) core::log::info("dataProvider", "", "master keys were read again from " + options_.file.string());
  keys_ = std::move(*keys);
  return core::ok();
}

Result<std::vector<MasterKey>> MasterKeys::read() const {
  const auto text = read_private_file(options_.file);
  if (!text) return Error(text.error().status, kFileSetting + text.error().text, text.error().native);
  auto keys = parse(*text, '\n', kFileSetting + options_.file.string());
  if (keys && keys->empty()) return Error(Status::kInvalid, kFileSetting + options_.file.string() + " holds no key");
  return keys;
}

// Where secrets are encrypted there was a key: another one beside them would hide that it is missing.
Result<void> MasterKeys::make_file(const std::string& whose) const {
  if (!whose.empty()) {
    return Error(Status::kIo,
                 kFileSetting + ("there is no " + options_.file.string()) +
                     ", and a new key would not open the secrets of " + whose +
                     ": put its copy back, or set SFTPGO_DATA_PROVIDER__MASTER_KEY as the server has it; if "
                     "it is lost, " +
                     kNewKey + " and give them their secrets anew");
  }
  const auto made = make_private_file(options_.file, std::string(kFileHead) + random_text() + "\n");
  if (made) core::log::info("dataProvider", "", "master key made: " + options_.file.string() + "; keep a copy of it");
  if (made || made.error().status == Status::kExists) return core::ok();
  return Error(made.error().status, kFileSetting + made.error().text, made.error().native);
}

Result<MasterKey> MasterKeys::current() {
  const auto is_missing = [&](const Result<void>& done) {
    return !done && done.error().status == Status::kNotFound && options_.make_file;
  };
  std::unique_lock lock(mutex_);
  auto done = refresh();
  if (is_missing(done)) {
    // The data provider is asked, for as long as it takes; logins look for their keys meanwhile.
    lock.unlock();
    const auto whose = sealed_ ? sealed_() : std::string();
    if (!whose) return whose.error();
    lock.lock();
    done = refresh();
    if (is_missing(done)) {
      if (const auto made = make_file(*whose); !made) return made.error();
      done = refresh();
    }
  }
  if (!done) return done.error();
  if (keys_.empty()) keys_.push_back(key_of(*from_hex(random_text())));
  return keys_.front();
}

Result<std::optional<MasterKey>> MasterKeys::find(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto done = refresh();
  const auto it = std::find_if(keys_.begin(), keys_.end(), [&](const MasterKey& key) { return key.id == id; });
  if (it != keys_.end()) return std::optional<MasterKey>(*it);
  if (!done && done.error().status != Status::kNotFound) return done.error();
  return std::optional<MasterKey>();
}

}  // namespace host::users
