// SPDX-License-Identifier: Apache-2.0
//
// Turns libssh messages into checks (login_check.h) and verdicts, or questions, into replies. Never says to a client
// why a login failed.
#include "host/ssh/authentication.h"

#include <utility>

#include "host/core/limits.h"
#include "host/core/log.h"

// The message API is marked as replaced by callbacks, which cannot defer their answer (see the header).
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace host::ssh {
namespace {

// A check whose outcome is clear without one.
auto refusal(std::string why) {
  return [why = std::move(why)](auth::LoginFlow&, const auth::LoginFlow::Done& done) {
    done({.grant = core::Error(core::Status::kDenied, why)});
  };
}

std::string_view view_of(const char* text) { return text != nullptr ? text : ""; }
std::string text_of(const char* text) { return std::string(view_of(text)); }

// AsyncSSH keeps to the draft, except towards servers that it knows to have it the other way round.
bool links_by_draft(std::string_view client, std::string_view ours) {
  const auto has = [](std::string_view text, std::string_view part) { return text.find(part) != text.npos; };
  return has(client, "AsyncSSH") && !has(ours, "OpenSSH") && !has(ours, "paramiko");
}

}  // namespace

Authentication::Authentication(ssh_session session, LoginCheck::Surroundings surroundings, Peer peer)
    : session_(session),
      surroundings_(std::move(surroundings)),
      options_(*surroundings_.options),
      peer_(std::move(peer)) {}

Authentication::~Authentication() {
  if (check_) check_->abandon();
}

Authentication::State Authentication::advance() {
  while (state_ == State::kRunning) {
    MessagePtr message(ssh_message_get(session_));
    if (!message) break;
    on_message(std::move(message));
    // Each message may bring in the next: without an end to it, one client would keep the thread.
    if (state_ == State::kRunning && ++unchecked_ > core::limits::kMaxUncheckedAuthRequests) {
      core::log::connection_failed({peer_.ip, "", "no_auth_tryed", "too many requests without a login"});
      state_ = State::kRefused;
    }
  }
  return state_;
}

void Authentication::on_message(MessagePtr message) {
  if (ssh_message_type(message.get()) == SSH_REQUEST_SERVICE) {
    // Some clients ask again before each attempt.
    if (text_of(ssh_message_service_service(message.get())) == "ssh-userauth") {
      ssh_message_service_reply_success(message.get());
    } else {
      state_ = State::kRefused;
    }
    return;
  }
  if (ssh_message_type(message.get()) != SSH_REQUEST_AUTH) {
    ssh_message_reply_default(message.get());
    return;
  }
  const bool answers = ssh_message_auth_kbdint_is_response(message.get()) != 0;
  if (!answers) {
    ++requests_taken_;
    dialogue_.reset();  // another attempt takes the place of one whose questions are open
  }
  send_banner();
  const auto user = answers ? asked_ : text_of(ssh_message_auth_user(message.get()));
  switch (ssh_message_subtype(message.get())) {
    case SSH_AUTH_METHOD_NONE:
      // The first one is how clients ask for the methods (RFC 4252 section 5.2).
      if (std::exchange(none_seen_, true)) ++failures_;
      reply_failure(message.get());
      return;
    case SSH_AUTH_METHOD_PASSWORD: {
      const auto check = password_check(message.get());
      run_check(std::move(message), user, auth::Method::kPassword, false, check);
      return;
    }
    case SSH_AUTH_METHOD_INTERACTIVE: on_interactive(std::move(message)); return;
    case SSH_AUTH_METHOD_PUBLICKEY: {
      const auto signature = ssh_message_auth_publickey_state(message.get());
      const bool probe = signature == SSH_PUBLICKEY_STATE_NONE;
      if (!probe && signature != SSH_PUBLICKEY_STATE_VALID) {
        refuse(message.get(), "publickey", user, "the signature does not verify");
        return;
      }
      const auto check = public_key_check(message.get(), probe);
      run_check(std::move(message), user, auth::Method::kPublicKey, probe, check);
      return;
    }
    default: refuse(message.get(), "no_auth_tryed", user, "authentication method not offered");
  }
}

Authentication::Check Authentication::password_check(ssh_message message) const {
  const auth::Attempt attempt{text_of(ssh_message_auth_user(message)), peer_.ip, peer_.session_number};
  const auto password = auth::make_secret(view_of(ssh_message_auth_password(message)));
  return [attempt, password](auth::LoginFlow& flow, const Done& done) {
    flow.password(attempt, password, auth::Method::kPassword, done);
  };
}

// RFC 4256. The questions are an authenticator's, if there is one for it, else our own.
void Authentication::on_interactive(MessagePtr message) {
  const bool answers = ssh_message_auth_kbdint_is_response(message.get()) != 0;
  const auto user = answers ? asked_ : text_of(ssh_message_auth_user(message.get()));
  if (!answers && !surroundings_.context->services.logins->asks_questions()) {
    if (!ask_for_password(message.get())) state_ = State::kRefused;
    return;
  }
  const auto check = answers ? answer_check() : questions_check(message.get());
  run_check(std::move(message), user, auth::Method::kKeyboardInteractive, false, check);
}

// The one question we have, for clients that offer no other way to give a password.
bool Authentication::ask_for_password(ssh_message message) {
  asked_ = text_of(ssh_message_auth_user(message));
  return ask(message, {.instruction = {}, .prompts = {"Password: "}, .echos = {false}});
}

bool Authentication::ask(ssh_message message, const auth::Questions& questions) {
  std::vector<const char*> prompts;
  for (const auto& prompt : questions.prompts) prompts.push_back(prompt.c_str());
  std::vector<char> echos;
  for (const bool echo : questions.echos) echos.push_back(echo ? 1 : 0);
  return ssh_message_auth_interactive_request(message, "", questions.instruction.c_str(),
                                              static_cast<unsigned>(prompts.size()), prompts.data(),
                                              echos.data()) == SSH_OK;
}

Authentication::Check Authentication::questions_check(ssh_message message) const {
  const auth::Attempt attempt{text_of(ssh_message_auth_user(message)), peer_.ip, peer_.session_number};
  return [attempt](auth::LoginFlow& flow, const Done& done) { flow.begin_questions(attempt, done); };
}

Authentication::Check Authentication::answer_check() {
  const auth::Attempt attempt{std::exchange(asked_, {}), peer_.ip, peer_.session_number};
  auto dialogue = std::exchange(dialogue_, nullptr);
  const int given = ssh_userauth_kbdint_getnanswers(session_);
  const std::size_t wanted = dialogue ? auth::Authenticators::question_count(*dialogue) : 1;
  if (attempt.username.empty() || given < 0 || static_cast<std::size_t>(given) != wanted)
    return refusal("answers to no question of ours");
  std::vector<auth::Secret> answers;
  for (int i = 0; i < given; ++i)
    answers.push_back(auth::make_secret(view_of(ssh_userauth_kbdint_getanswer(session_, static_cast<unsigned>(i)))));
  if (dialogue) {
    return [attempt, dialogue, answers](auth::LoginFlow& flow, const Done& done) {
      flow.answers(attempt, dialogue, answers, done);
    };
  }
  return [attempt, password = answers.front()](auth::LoginFlow& flow, const Done& done) {
    flow.password(attempt, password, auth::Method::kKeyboardInteractive, done);
  };
}

Authentication::Check Authentication::public_key_check(ssh_message message, bool probe) {
  const auth::Attempt attempt{text_of(ssh_message_auth_user(message)), peer_.ip, peer_.session_number};
  const ssh_key key = ssh_message_auth_pubkey(message);
  char* base64 = nullptr;
  probed_.reset();
  if (key == nullptr || ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK) return refusal("unreadable public key");
  const std::string blob(CharPtr(base64).get());
  const std::string type = text_of(ssh_key_type_to_char(ssh_key_type(key)));
  std::optional<bool> known;
  if (known_ && known_->user == attempt.username && known_->type == type && known_->base64 == blob)
    known = known_->allowed;
  if (probe) probed_ = KnownKey{attempt.username, type, blob, false};
  return [attempt, type, blob, probe, known](auth::LoginFlow& flow, const Done& done) {
    flow.public_key(attempt, type, blob, probe, known, done);
  };
}

void Authentication::run_check(MessagePtr message, std::string user, auth::Method method, bool probe,
                               const Check& check) {
  tried_ = true;
  state_ = State::kPending;
  message_ = std::move(message);
  vfs::Identity identity;
  identity.connection_id = peer_.connection_id;
  identity.client_version = text_of(ssh_get_clientbanner(session_));
  identity.links_by_draft = links_by_draft(identity.client_version, surroundings_.context->options.software);
  identity.remote_address = peer_.address;
  identity.session_number = peer_.session_number;
  const auto settle = [this](Verdict& verdict) {
    check_.reset();
    const auto answered = std::move(message_);
    this->settle(answered.get(), verdict);
  };
  check_ = std::make_shared<LoginCheck>(
      surroundings_, peer_.ip, std::move(identity),
      Verdict{
          .method = method, .login_type = auth::method_name(method).data(), .user = std::move(user), .probe = probe},
      settle);
  check_->start(check);
}

void Authentication::settle(ssh_message message, Verdict& verdict) {
  state_ = State::kRunning;
  if (verdict.asks) {
    asked_ = verdict.user;
    dialogue_ = std::move(verdict.dialogue);
    const bool asked = dialogue_ ? ask(message, verdict.questions) : ask_for_password(message);
    if (!asked) state_ = State::kRefused;
    return;
  }
  if (verdict.unusable) {
    deny(message);
    state_ = State::kRefused;
    return;
  }
  if (!verdict.refused.empty()) {
    ++failures_;
    reply_failure(message);
    return;
  }
  if (verdict.probe) {
    known_ = std::exchange(probed_, std::nullopt);
    if (known_) known_->allowed = verdict.key_allowed;
    ssh_message_auth_reply_pk_ok_simple(message);
    return;
  }
  fs_ = std::move(verdict.fs);
  listed_ = std::move(verdict.listed);
  state_ = State::kGranted;
  ssh_message_auth_reply_success(message, 0);
}

void Authentication::refuse(ssh_message message, const char* login_type, const std::string& user,
                            const std::string& why) {
  ++failures_;
  core::log::connection_failed({peer_.ip, user, login_type, why});
  reply_failure(message);
}

void Authentication::reply_failure(ssh_message message) {
  const int configured = options_.max_auth_tries;
  const int limit = configured == 0 ? core::limits::kDefaultMaxAuthTries : configured;
  if (limit > 0 && failures_ >= limit) {
    core::log::connection_failed({peer_.ip, "", "no_auth_tryed", "too many authentication failures"});
    ssh_session_set_disconnect_message(session_, "too many authentication failures");
    state_ = State::kRefused;
    return;
  }
  deny(message);
}

void Authentication::deny(ssh_message message) {
  ssh_message_auth_set_methods(message, kMethods);
  ssh_message_reply_default(message);
}

void Authentication::send_banner() {
  if (banner_sent_ || options_.login_banner.empty()) return;
  banner_sent_ = true;
  const StringPtr text(ssh_string_from_char(options_.login_banner.c_str()));
  ssh_send_issue_banner(session_, text.get());
}

void Authentication::on_dropped_request() {
  tried_ = true;
  core::log::connection_failed({peer_.ip, "", "publickey", "bad signature, unknown kind of key or malformed request"});
}

}  // namespace host::ssh
