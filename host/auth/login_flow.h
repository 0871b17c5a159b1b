// SPDX-License-Identifier: Apache-2.0
//
// One login attempt from what the client showed to a Grant, a refusal or questions: the authenticators first, in their
// order, the host's own checks last. Nothing here blocks its caller; answers come from a worker, or at once when there
// is no room for the attempt.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/auth/authenticators.h"
#include "host/auth/login.h"

namespace host::auth {

using Dialogue = Authenticators::Dialogue;

struct Reply {
  core::Result<Grant> grant = core::Error(core::Status::kDenied);
  bool asks = false;  // instead of a grant or a refusal
  Questions questions = {};
  std::shared_ptr<Dialogue> dialogue = {};  // null: the question is the host's own, for the password
  bool allowed = false;                     // of a public key: an authenticator has decided
  // Of a refusal: the server could not check, so that it says nothing of the client. Never where an authenticator
  // failed.
  bool unchecked = false;
};

class LoginFlow {
 public:
  using Done = std::function<void(Reply)>;

  // Both outlive it; without authenticators the host decides alone.
  LoginFlow(Login& login, Authenticators* authenticators) : login_(login), authenticators_(authenticators) {}

  // Is it for an authenticator to ask the questions? Else the host's own question for the password is due. [quick]
  bool asks_questions() const { return wants(plugin::AuthMethod::kKeyboard); }

  // `method`: how the password was asked for.
  void password(const Attempt& attempt, Secret password, Method method, const Done& done);
  // `known`: what authenticators said about this key on this connection, so that they are asked once: Reply::allowed.
  void public_key(const Attempt& attempt, std::string type, std::string base64, bool probe, std::optional<bool> known,
                  const Done& done);
  // What became of an attempt that was granted, once.
  void conclude(const Attempt& attempt, Method method, bool let_in) { login_.conclude(attempt, method, let_in); }
  void begin_questions(const Attempt& attempt, const Done& done);
  void answers(const Attempt& attempt, std::shared_ptr<Dialogue> dialogue, std::vector<Secret> answers,
               const Done& done);

 private:
  bool wants(std::uint32_t method) const { return authenticators_ != nullptr && authenticators_->wants(method); }
  void submit(const Done& done, std::function<void()> job);
  void submit_hashing(const Attempt& attempt, const Done& done, std::function<void()> job);
  // What the defender has against questions and answers without a password. True: it is refused, and told so.
  bool turned_away(const Attempt& attempt, const Done& done);
  Authenticators::Done after_questions(const Attempt& attempt, Done done);

  Login& login_;
  Authenticators* const authenticators_;
};

}  // namespace host::auth
