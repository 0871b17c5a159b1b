// SPDX-License-Identifier: Apache-2.0
//
// Order of things only; the checks are Login's. On the login pool, what hashes passwords on the workers for that
// (Login:: hashing), in between on the authenticators' workers. Every attempt that ends is counted exactly once
// (Login::settle and conclude).
#include "host/auth/login_flow.h"

#include <utility>

#include "host/plugin/session_gone.h"

namespace host::auth {
namespace {

using Outcome = Authenticators::Outcome;
using core::Error;
using core::Status;

Reply refused(Error error) { return {.grant = std::move(error)}; }

Reply no_room(const char* why) {
  Reply reply = refused({Status::kBusy, why});
  reply.unchecked = true;
  return reply;
}

// Login refuses with kIo only where the data provider failed.
bool provider_failed(const core::Result<Grant>& grant) { return !grant && grant.error().status == Status::kIo; }

}  // namespace

void LoginFlow::submit(const Done& done, std::function<void()> job) {
  if (!login_.pool().submit(std::move(job))) done(no_room("too many logins are waiting"));
}

void LoginFlow::submit_hashing(const Attempt& attempt, const Done& done, std::function<void()> job) {
  // Who has left would hold up the others, and a stop.
  auto if_there = [attempt, done, job = std::move(job)] {
    if (!plugin::session_gone(attempt.session_number)) return job();
    done(refused({Status::kCancelled, "the client has left"}));
  };
  if (!login_.hashing().submit(attempt.client_ip, attempt.username, std::move(if_there)))
    done(no_room("too many passwords are waiting"));
}

void LoginFlow::password(const Attempt& attempt, Secret password, Method method, const Done& done) {
  submit_hashing(attempt, done, [this, attempt, password = std::move(password), method, done] {
    const auto finish = [this, attempt, password, method, done](Outcome outcome) {
      core::Result<Grant> grant = std::move(outcome.error);
      bool unchecked = outcome.unchecked;
      if (outcome.kind != Outcome::Kind::kRefused) {
        grant = login_.check_password(attempt, *password, method, outcome.kind == Outcome::Kind::kAllowed);
        unchecked = provider_failed(grant);
      }
      Reply reply{.grant = login_.settle(attempt, method, std::move(grant))};
      reply.unchecked = unchecked;
      done(std::move(reply));
    };
    if (auto refusal = login_.refuses(attempt, *password)) {
      done({.grant = login_.turn_away(method, std::move(*refusal))});
    } else if (wants(plugin::AuthMethod::kPassword)) {
      authenticators_->begin({attempt, plugin::AuthMethod::kPassword, password, {}}, finish);
    } else {
      finish({.kind = Outcome::Kind::kNext});
    }
  });
}

void LoginFlow::public_key(const Attempt& attempt, std::string type, std::string base64, bool probe,
                           std::optional<bool> known, const Done& done) {
  submit(done, [this, attempt, type = std::move(type), base64 = std::move(base64), probe, known, done] {
    const auto finish = [this, attempt, type, base64, probe, done](Outcome outcome) {
      const bool allowed = outcome.kind == Outcome::Kind::kAllowed;
      core::Result<Grant> grant = std::move(outcome.error);
      bool unchecked = outcome.unchecked;
      if (outcome.kind != Outcome::Kind::kRefused) {
        grant = login_.check_public_key(attempt, type, base64, probe, allowed);
        unchecked = provider_failed(grant);
      }
      Reply reply{.grant = login_.settle(attempt, Method::kPublicKey, std::move(grant))};
      reply.allowed = allowed;
      reply.unchecked = unchecked;
      done(std::move(reply));
    };
    if (!known && wants(plugin::AuthMethod::kPublicKey)) {
      authenticators_->begin({attempt, plugin::AuthMethod::kPublicKey, {}, type + " " + base64}, finish);
    } else {
      finish({.kind = known.value_or(false) ? Outcome::Kind::kAllowed : Outcome::Kind::kNext});
    }
  });
}

bool LoginFlow::turned_away(const Attempt& attempt, const Done& done) {
  constexpr std::string_view kNoPassword = "-";  // an empty one would count as a failure
  auto refusal = login_.refuses(attempt, kNoPassword);
  if (refusal) done({.grant = login_.turn_away(Method::kKeyboardInteractive, std::move(*refusal))});
  return refusal.has_value();
}

void LoginFlow::begin_questions(const Attempt& attempt, const Done& done) {
  submit(done, [this, attempt, done] {
    if (turned_away(attempt, done)) return;
    authenticators_->begin({attempt, plugin::AuthMethod::kKeyboard, {}, {}}, after_questions(attempt, done));
  });
}

Authenticators::Done LoginFlow::after_questions(const Attempt& attempt, Done done) {
  return [this, attempt, done = std::move(done)](Outcome outcome) {
    Reply reply;
    switch (outcome.kind) {
      case Outcome::Kind::kRefused:
        reply.unchecked = outcome.unchecked;
        reply.grant = login_.settle(attempt, Method::kKeyboardInteractive, std::move(outcome.error));
        break;
      case Outcome::Kind::kAllowed:
        reply.grant =
            login_.settle(attempt, Method::kKeyboardInteractive, login_.vouched(attempt, Method::kKeyboardInteractive));
        reply.unchecked = provider_failed(reply.grant);
        break;
      case Outcome::Kind::kAsks:
        reply.asks = true;
        reply.questions = std::move(outcome.questions);
        reply.dialogue = std::move(outcome.dialogue);
        break;
      case Outcome::Kind::kNext: reply.asks = true; break;
    }
    done(std::move(reply));
  };
}

void LoginFlow::answers(const Attempt& attempt, std::shared_ptr<Dialogue> dialogue, std::vector<Secret> answers,
                        const Done& done) {
  const bool hashes = Authenticators::checks_password(*dialogue);
  auto job = [this, attempt, dialogue = std::move(dialogue), answers = std::move(answers), done]() mutable {
    const auto after = after_questions(attempt, done);
    if (Authenticators::checks_password(*dialogue)) {
      if (auto refusal = login_.refuses(attempt, *answers.front()))
        return done({.grant = login_.turn_away(Method::kKeyboardInteractive, std::move(*refusal))});
      if (auto checked = login_.check_answer(attempt, *answers.front()); !checked)
        return after({.error = checked.error(), .unchecked = checked.error().status == Status::kIo});
      answers.front() = std::make_shared<const std::string>("OK");
    } else if (turned_away(attempt, done)) {
      return;
    }
    authenticators_->answer(dialogue, std::move(answers), after);
  };
  if (hashes) return submit_hashing(attempt, done, std::move(job));
  submit(done, std::move(job));
}

}  // namespace host::auth
