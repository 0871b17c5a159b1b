// SPDX-License-Identifier: Apache-2.0
//
// Who gets in: order of checks, methods, and answers that do not tell a stranger whether an account exists. Calls block
// (provider, hashing): they run on pool() or hashing(), never on an I/O thread. Knows nothing of SSH beyond method
// names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/auth/defender.h"
#include "host/auth/hashing.h"
#include "host/core/result.h"
#include "host/core/worker_pool.h"
#include "host/users/store.h"
#include "host/users/user.h"

namespace host::auth {

enum class Method { kPassword, kPublicKey, kKeyboardInteractive };
// "password", "publickey", "keyboard-interactive": log and configuration spelling.
std::string_view method_name(Method method);

struct Attempt {
  std::string username;
  std::string client_ip;  // without port
  std::uint64_t session_number = 0;
};

// An accepted login.
struct Grant {
  users::User user;
  std::string description;  // "password" or "publickey: SHA256:...:comment", for the log
};

// Wiped when the last one who needs it lets go.
using Secret = std::shared_ptr<const std::string>;
Secret make_secret(std::string_view text);

// Refusals carry kDenied, kIo where the data provider failed; the text says why, for the log only.
class Login {
 public:
  // `defender` outlives it; nullptr: nobody counts failures.
  explicit Login(users::Store& store, Defender* defender = nullptr);
  ~Login();

  // A hash like those that are stored: unknown names cost as much from the first attempt on. [setup]
  void expect(std::string_view hash);
  // Whoever comes is let in with whatever credentials, as the account `username` under the name given. For tests of
  // clients. [setup]
  void let_everybody_in(std::string username);

  // For whatever hashes no password.
  core::WorkerPool& pool();
  // For what does: a client's password is compared, or stored.
  Hashing& hashing();
  // kKeyboardInteractive: the answer to our own question for the password.
  core::Result<Grant> password(const Attempt& attempt, std::string_view password, Method method = Method::kPassword);
  // `key_type` and `key_base64` as in an authorized_keys line. With `probe` the client only asks whether the key would
  // do (no signature yet): same checks, nothing is recorded.
  core::Result<Grant> public_key(const Attempt& attempt, std::string_view key_type, std::string_view key_base64,
                                 bool probe);

  // The steps of the above, for attempts on which authenticators have a say (login_flow.h). `allowed`: one of them has
  // let it in, so that the host does not compare; all else holds.
  // Why nobody has to look at it at all.
  std::optional<core::Error> refuses(const Attempt& attempt, std::string_view password);
  core::Result<Grant> check_password(const Attempt& attempt, std::string_view password, Method method, bool allowed);
  core::Result<Grant> check_public_key(const Attempt& attempt, std::string_view key_type, std::string_view key_base64,
                                       bool probe, bool allowed);
  // Whom an authenticator has let in by questions of its own.
  core::Result<Grant> vouched(const Attempt& attempt, Method method);
  // Is it the stored password of an account that may log in?
  core::Result<void> check_answer(const Attempt& attempt, std::string_view password);
  // Gives the outcome of an attempt back, and counts one that is refused. One that is granted counts at conclude().
  core::Result<Grant> settle(const Attempt& attempt, Method method, core::Result<Grant> grant);
  // What became of a granted attempt: too many sessions is a refusal, too; no way to the files is none.
  void conclude(const Attempt& attempt, Method method, bool let_in);
  core::Error turn_away(Method method, core::Error refusal);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace host::auth
