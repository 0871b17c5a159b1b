// SPDX-License-Identifier: Apache-2.0
//
// The order of checks of one login attempt. Login workers, several at once; nothing is kept between attempts but which
// hash costs occur. Whatever the account's state, a password attempt pays for exactly one hash before anything is
// decided. Must not know SSH.
#include "host/auth/login.h"

#include <openssl/crypto.h>

#include <chrono>

#include "host/auth/decoy.h"
#include "host/auth/last_logins.h"
#include "host/auth/restrictions.h"
#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/core/metrics.h"
#include "host/users/password.h"
#include "host/users/public_key.h"

namespace host::auth {
namespace {

constexpr std::string_view kSender = "auth";

core::Error denied(std::string text) { return {core::Status::kDenied, std::move(text)}; }

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

bool same_bytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// The stored key that equals the offered blob. All are compared, so that time does not tell which one it was.
core::Result<users::PublicKey> find_key(const users::User& user, std::string_view blob) {
  core::Result<users::PublicKey> found = denied("the key is not one of the user's");
  for (std::size_t i = 0; i < user.public_keys.size(); ++i) {
    auto stored = users::parse_public_key(user.public_keys[i]);
    if (!stored) {
      core::log::warn(kSender, "",
                      "user " + user.username + ": public key nr. " + std::to_string(i) + " cannot be parsed, skipped");
      continue;
    }
    if (same_bytes(stored->blob, blob) && !found) found = std::move(*stored);
  }
  return found;
}

// A store that fails is the operator's problem and goes to the log; for the client it is one more refusal.
core::Error lookup_failure(const core::Error& error) {
  if (error.status == core::Status::kNotFound) return denied("unknown user");
  core::log::error(kSender, "", "the data provider failed: " + error.message());
  return {core::Status::kIo, "the data provider failed: " + error.message()};
}

// Every attempt counts twice: as such, and with its method.
void count(Method method, bool accepted) {
  using core::metrics::Counter;
  struct Counters {
    Counter attempts, accepted, refused;
  };
  const auto add = [&](const Counters& counters) {
    core::metrics::add(counters.attempts);
    core::metrics::add(accepted ? counters.accepted : counters.refused);
  };
  add({Counter::kLoginAttempts, Counter::kLogins, Counter::kLoginFailures});
  switch (method) {
    case Method::kPassword:
      return add({Counter::kPasswordAttempts, Counter::kPasswordLogins, Counter::kPasswordFailures});
    case Method::kPublicKey:
      return add({Counter::kPublicKeyAttempts, Counter::kPublicKeyLogins, Counter::kPublicKeyFailures});
    case Method::kKeyboardInteractive:
      return add({Counter::kKeyboardAttempts, Counter::kKeyboardLogins, Counter::kKeyboardFailures});
  }
}

}  // namespace

Secret make_secret(std::string_view text) {
  return {new const std::string(text), [](const std::string* secret) {
            OPENSSL_cleanse(const_cast<char*>(secret->data()), secret->size());
            delete secret;
          }};
}

std::string_view method_name(Method method) {
  switch (method) {
    case Method::kPassword: return "password";
    case Method::kPublicKey: return "publickey";
    case Method::kKeyboardInteractive: return "keyboard-interactive";
  }
  return "";
}

struct Login::Impl {
  users::Store& store;
  Defender* const defender;
  Decoy decoy;
  std::string everybody;  // the account that stands for everybody's; empty: each has its own
  LastLogins last_logins;
  Hashing hashing;
  core::WorkerPool pool{"auth", core::limits::kAuthPoolThreads, core::limits::kAuthPoolQueue};

  Impl(users::Store& store_in, Defender* defender_in)
      : store(store_in), defender(defender_in), last_logins([this](const std::string& username, std::int64_t at_ms) {
          return store.note_login(username, at_ms);
        }) {}

  core::Result<void> check_password(const core::Result<users::User>& user, const std::string& username,
                                    std::string_view password);
  core::Result<Grant> password(const Attempt& attempt, std::string_view password, Method method, bool allowed);
  core::Result<void> admit(const users::User& user, Method method, const Attempt& attempt);
  void upgrade_hash(const users::User& user, const Attempt& attempt, std::string_view password);
  core::Result<Grant> public_key(const Attempt& attempt, std::string_view key_type, std::string_view key_base64,
                                 bool probe, bool allowed);
  core::Result<Grant> anybody(const Attempt& attempt, std::string description);
};

core::Result<void> Login::Impl::check_password(const core::Result<users::User>& user, const std::string& username,
                                               std::string_view password) {
  const bool usable = user && users::is_usable_hash(user->password);
  if (usable) decoy.learn(user->password);
  const bool good =
      usable ? users::verify_password(user->password, password) : users::verify_nothing(password, decoy.pick(username));
  // Only now, with the time spent, may anything be decided.
  if (!user) return lookup_failure(user.error());
  if (auto active = check_status(*user, now_ms()); !active) return active;
  if (!usable && !user->password.empty())
    return denied("the stored password hash is malformed or costs more than allowed");
  if (!good) return denied(user->password.empty() ? "the user has no password" : "wrong password");
  return core::ok();
}

core::Result<Grant> Login::Impl::anybody(const Attempt& attempt, std::string description) {
  auto user = store.find(everybody);
  if (!user) return lookup_failure(user.error());
  user->username = attempt.username;
  return Grant{std::move(*user), std::move(description)};
}

// What follows proof of identity.
core::Result<void> Login::Impl::admit(const users::User& user, Method method, const Attempt& attempt) {
  return check_restrictions(user, method_name(method), attempt.client_ip);
}

// After the answer: it costs one more hash. With too much to do it waits for the next login.
void Login::Impl::upgrade_hash(const users::User& user, const Attempt& attempt, std::string_view password) {
  if (!store.wants_upgrade(user.password)) return;
  auto upgrade = [this, username = user.username, old_hash = user.password, plain = make_secret(password)] {
    const auto done = store.upgrade_password(username, old_hash, *plain);
    if (done) {
      core::log::info(kSender, "", "user " + username + ": the password is stored as argon2id now");
    } else {
      core::log::warn(kSender, "", "user " + username + ": password hash not upgraded: " + done.error().message());
    }
  };
  (void)hashing.submit(attempt.client_ip, attempt.username, std::move(upgrade));
}

Login::Login(users::Store& store, Defender* defender) : impl_(std::make_unique<Impl>(store, defender)) {}
// Attempts that still run use the rest.
Login::~Login() {
  impl_->pool.stop();
  impl_->hashing.stop();
  impl_->last_logins.stop();
}

void Login::expect(std::string_view hash) { impl_->decoy.learn(hash); }

void Login::let_everybody_in(std::string username) { impl_->everybody = std::move(username); }

core::WorkerPool& Login::pool() { return impl_->pool; }
Hashing& Login::hashing() { return impl_->hashing; }

core::Result<Grant> Login::Impl::password(const Attempt& attempt, std::string_view password, Method method,
                                          bool allowed) {
  if (!everybody.empty()) return anybody(attempt, std::string(method_name(method)));
  auto user = store.find(attempt.username);
  if (allowed) {
    if (!user) return lookup_failure(user.error());
    if (auto active = check_status(*user, now_ms()); !active) return active.error();
  } else if (auto done = check_password(user, attempt.username, password); !done) {
    return done.error();
  }
  // However it is asked for, a password is one: who denies passwords denies them here, too.
  for (const auto denied_as : {Method::kPassword, method}) {
    if (auto done = admit(*user, denied_as, attempt); !done) return done.error();
  }
  last_logins.note(user->username, now_ms());
  if (!allowed) upgrade_hash(*user, attempt, password);
  return Grant{std::move(*user), std::string(method_name(method))};
}

core::Result<Grant> Login::Impl::public_key(const Attempt& attempt, std::string_view key_type,
                                            std::string_view key_base64, bool probe, bool allowed) {
  const auto offered = users::parse_public_key(std::string(key_type) + " " + std::string(key_base64));
  if (!offered) return denied("the offered key is malformed or of an unknown type");
  if (!everybody.empty()) return anybody(attempt, "publickey: " + users::key_fingerprint(offered->blob) + ":");
  auto user = store.find(attempt.username);
  if (!user) {
    users::User nobody;  // as much work as for somebody, so that time does not tell
    nobody.public_keys.push_back(std::string(key_type) + " " + std::string(key_base64));
    (void)find_key(nobody, offered->blob);
    return lookup_failure(user.error());
  }
  auto stored = find_key(*user, offered->blob);
  if (auto done = check_status(*user, now_ms()); !done) return done.error();
  if (!stored && allowed) stored = *offered;
  if (!stored) return stored.error();
  if (auto done = admit(*user, Method::kPublicKey, attempt); !done) return done.error();
  std::string description = "publickey: " + users::key_fingerprint(stored->blob) + ":" + stored->comment;
  if (!probe) last_logins.note(user->username, now_ms());
  return Grant{std::move(*user), std::move(description)};
}

core::Result<Grant> Login::password(const Attempt& attempt, std::string_view password, Method method) {
  if (auto refusal = refuses(attempt, password)) return turn_away(method, std::move(*refusal));
  auto grant = settle(attempt, method, check_password(attempt, password, method, false));
  if (grant) conclude(attempt, method, true);
  return grant;
}

core::Result<Grant> Login::public_key(const Attempt& attempt, std::string_view key_type, std::string_view key_base64,
                                      bool probe) {
  auto grant = check_public_key(attempt, key_type, key_base64, probe, false);
  grant = settle(attempt, Method::kPublicKey, std::move(grant));
  if (grant && !probe) conclude(attempt, Method::kPublicKey, true);
  return grant;
}

std::optional<core::Error> Login::refuses(const Attempt& attempt, std::string_view password) {
  if (!impl_->everybody.empty()) return std::nullopt;
  auto* defender = impl_->defender;
  if (defender != nullptr) {
    if (auto why = defender->refuses(attempt.client_ip, attempt.username)) return denied(std::move(*why));
  }
  if (!password.empty() && password.size() <= core::limits::kMaxPasswordBytes) return std::nullopt;
  if (defender != nullptr) defender->note_failure(attempt.client_ip, attempt.username);
  return denied("empty or overlong password");
}

core::Result<Grant> Login::check_password(const Attempt& attempt, std::string_view password, Method method,
                                          bool allowed) {
  return impl_->password(attempt, password, method, allowed);
}

core::Result<Grant> Login::check_public_key(const Attempt& attempt, std::string_view key_type,
                                            std::string_view key_base64, bool probe, bool allowed) {
  return impl_->public_key(attempt, key_type, key_base64, probe, allowed);
}

core::Result<Grant> Login::vouched(const Attempt& attempt, Method method) {
  auto user = impl_->store.find(attempt.username);
  if (!user) return lookup_failure(user.error());
  if (auto active = check_status(*user, now_ms()); !active) return active.error();
  if (auto done = impl_->admit(*user, method, attempt); !done) return done.error();
  impl_->last_logins.note(user->username, now_ms());
  return Grant{std::move(*user), std::string(method_name(method))};
}

core::Result<void> Login::check_answer(const Attempt& attempt, std::string_view password) {
  return impl_->check_password(impl_->store.find(attempt.username), attempt.username, password);
}

core::Result<Grant> Login::settle(const Attempt& attempt, Method method, core::Result<Grant> grant) {
  if (grant) return grant;
  count(method, false);
  const bool clients_fault = grant.error().status == core::Status::kDenied && method != Method::kPublicKey;
  if (impl_->defender != nullptr && clients_fault) impl_->defender->note_failure(attempt.client_ip, attempt.username);
  return grant;
}

void Login::conclude(const Attempt& attempt, Method method, bool let_in) {
  count(method, let_in);
  if (impl_->defender != nullptr && let_in && method != Method::kPublicKey)
    impl_->defender->note_success(attempt.client_ip, attempt.username);
}

core::Error Login::turn_away(Method method, core::Error refusal) {
  count(method, false);
  return refusal;
}

}  // namespace host::auth
