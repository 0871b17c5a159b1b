// SPDX-License-Identifier: Apache-2.0
//
// A login attempt walks from authenticator to authenticator. It is asked on that authenticator's workers; the answer is
// judged, and the account stored, on the login pool, whose few threads bound what hashing costs. Knows no program and
// no HTTP: that is the plugins' business.
#include "host/auth/authenticators.h"

#include <chrono>
#include <utility>

#include "host/auth/auth_limits.h"
#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/plugin/session_gone.h"
#include "host/users/user_json.h"

namespace host::auth {
namespace {

using Clock = std::chrono::steady_clock;
using Decision = plugin::AuthAnswer::Decision;
using core::Error;
using core::Result;
using core::Status;

std::int64_t ns_of(Clock::time_point when) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
}

// Else it is the account that cannot be stored.
bool provider_failed(const Error& error) {
  switch (error.status) {
    case Status::kIo:
    case Status::kTimedOut:
    case Status::kBusy:
    case Status::kNoSpace: return true;
    default: return false;
  }
}

}  // namespace

struct Authenticators::Place {
  std::unique_ptr<plugin::Authenticator> plugin;
  core::WorkerPool pool;
  core::WorkerPool endings;

  Place(std::unique_ptr<plugin::Authenticator> plugin_in, std::size_t concurrency)
      : plugin(std::move(plugin_in)),
        pool("hook-" + plugin->name(), concurrency, core::limits::kAuthPoolQueue),
        endings("end-" + plugin->name(), 1, core::limits::kAuthPoolQueue) {}

  // Ending a conversation may mean ending a program, so it happens on a worker; not behind logins that wait, because
  // what it lets go of may be what they wait for.
  void end(std::unique_ptr<plugin::Conversation> talk) {
    if (talk) endings.submit_cleanup([talk = std::shared_ptr<plugin::Conversation>(std::move(talk))] {});
  }
};

class Authenticators::Dialogue {
 public:
  Dialogue(Place& place_in, std::size_t at, Presented who, std::unique_ptr<plugin::Conversation> talk)
      : place(place_in), index(at), presented(std::move(who)), conversation(std::move(talk)) {}
  ~Dialogue() { place.end(std::move(conversation)); }

  Place& place;
  const std::size_t index;
  const Presented presented;
  std::size_t count = 0;
  bool check_password = false;
  std::unique_ptr<plugin::Conversation> conversation;
};

class Authenticators::Walk : public std::enable_shared_from_this<Walk> {
 public:
  Walk(Authenticators& all, Presented presented, Done done)
      : all_(all), presented_(std::move(presented)), done_(std::move(done)) {}

  void ask(std::size_t from);
  void answer(const std::shared_ptr<Dialogue>& dialogue, std::vector<Secret> answers);

 private:
  Place& place() { return *all_.places_[index_]; }
  const std::string& name() { return place().plugin->name(); }
  const std::string& label() { return place().plugin->label(); }
  plugin::Op op() const;
  void refuse(Error error) { done_({.kind = Outcome::Kind::kRefused, .error = std::move(error)}); }
  void give_up(Error error) { done_({.kind = Outcome::Kind::kRefused, .error = std::move(error), .unchecked = true}); }
  bool submit(core::WorkerPool::Job job);
  // Runs `call` on the authenticator's workers, judges what it gives on the login pool.
  void hand_over(std::function<Result<plugin::AuthAnswer>()> call);
  void judge(Result<plugin::AuthAnswer> answer);
  void judge_questions(const std::string& json);

  Authenticators& all_;
  Presented presented_;
  Done done_;
  std::size_t index_ = 0;
  std::string user_json_;
  std::unique_ptr<plugin::Conversation> conversation_;
};

plugin::Op Authenticators::Walk::op() const {
  return {.session_id = presented_.attempt.session_number, .deadline_ns = ns_of(Clock::now() + kAuthenticatorTime)};
}

void Authenticators::Walk::ask(std::size_t from) {
  for (index_ = from; index_ < all_.places_.size(); ++index_) {
    if ((place().plugin->methods() & presented_.method) != 0) break;
  }
  if (index_ == all_.places_.size()) return done_({.kind = Outcome::Kind::kNext});
  const auto user = all_.store_.find(presented_.attempt.username);
  if (!user && user.error().status != Status::kNotFound) {
    return give_up({Status::kIo, "the data provider failed: " + user.error().message()});
  }
  user_json_.clear();
  if (user) {
    user_json_ = users::to_json(*user, users::Secrets::kKeep)
                     .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }
  hand_over([self = shared_from_this()]() -> Result<plugin::AuthAnswer> {
    const auto& presented = self->presented_;
    plugin::AuthRequest request;
    request.method = presented.method;
    request.user = presented.attempt.username;
    request.address = presented.attempt.client_ip;
    if (presented.secret) request.secret = *presented.secret;
    request.public_key = presented.public_key;
    request.user_json = self->user_json_;
    auto begun = self->place().plugin->begin(self->op(), request);
    if (!begun) return begun.error();
    self->conversation_ = std::move(begun->conversation);
    return std::move(begun->answer);
  });
}

void Authenticators::Walk::answer(const std::shared_ptr<Dialogue>& dialogue, std::vector<Secret> answers) {
  index_ = dialogue->index;
  conversation_ = std::move(dialogue->conversation);
  if (!conversation_) return refuse({Status::kDenied, "answers to no question"});
  hand_over([self = shared_from_this(), answers = std::move(answers)]() {
    std::vector<std::string_view> texts;
    texts.reserve(answers.size());
    for (const auto& each : answers) texts.emplace_back(*each);
    return self->conversation_->step(self->op(), texts);
  });
}

// The password may have to be stored, or compared next.
bool Authenticators::Walk::submit(core::WorkerPool::Job job) {
  if (presented_.method != plugin::AuthMethod::kPassword) return all_.login_.pool().submit(std::move(job));
  return all_.login_.hashing().submit(presented_.attempt.client_ip, presented_.attempt.username, std::move(job));
}

void Authenticators::Walk::hand_over(std::function<Result<plugin::AuthAnswer>()> call) {
  const auto asked = Clock::now();
  const bool queued = place().pool.submit([self = shared_from_this(), call = std::move(call), asked] {
    Result<plugin::AuthAnswer> got =
        Error(Status::kBusy, self->label() + ": no free place in time, plugins.login_concurrency logins are under way");
    if (plugin::session_gone(self->presented_.attempt.session_number)) {
      got = Error(Status::kCancelled, "the client has left");
    } else if (Clock::now() - asked < kAuthenticatorWait) {
      got = call();
    }
    auto kept = std::make_shared<Result<plugin::AuthAnswer>>(std::move(got));
    if (!self->submit([self, kept] { self->judge(std::move(*kept)); }))
      self->give_up({Status::kBusy, "too many logins are waiting"});
  });
  if (!queued) refuse({Status::kBusy, "too many logins are waiting for " + label()});
}

void Authenticators::Walk::judge(Result<plugin::AuthAnswer> answer) {
  // Whatever comes of it but further questions, the conversation is over.
  if (!answer || answer->decision != Decision::kAsk) place().end(std::move(conversation_));
  // Hashing for those who have left would hold up the others, and the stop.
  if (plugin::session_gone(presented_.attempt.session_number))
    return refuse({Status::kCancelled, "the client has left"});
  if (!answer) return refuse(answer.error());
  if (answer->decision == Decision::kDeny) return refuse({Status::kDenied, "refused by " + label()});
  if (answer->decision == Decision::kAsk) return judge_questions(answer->json);
  if (answer->decision != Decision::kNext && !answer->json.empty()) {
    const auto stored = all_.store_.accept(presented_.attempt.username, answer->json);
    if (!stored && provider_failed(stored.error()))
      return give_up({Status::kIo, "the data provider failed: " + stored.error().message()});
    // Neither this nor questions that make no sense are a wrong password.
    if (!stored) return refuse({Status::kIo, label() + ": the user is not accepted: " + stored.error().message()});
  }
  if (answer->decision == Decision::kAllow) return done_({.kind = Outcome::Kind::kAllowed, .error = {}, .by = name()});
  ask(index_ + 1);
}

void Authenticators::Walk::judge_questions(const std::string& json) {
  auto questions = parse_questions(json);
  auto dialogue = std::make_shared<Dialogue>(place(), index_, presented_, std::move(conversation_));
  if (!questions) return refuse({Status::kIo, label() + ": " + questions.error().message()});
  dialogue->count = questions->prompts.size();
  dialogue->check_password = questions->check_password;
  Outcome outcome{.kind = Outcome::Kind::kAsks, .error = {}};
  outcome.questions = std::move(*questions);
  outcome.dialogue = std::move(dialogue);
  done_(std::move(outcome));
}

Authenticators::Authenticators(users::Store& store, Login& login,
                               std::vector<std::unique_ptr<plugin::Authenticator>> plugins, std::size_t concurrency)
    : store_(store), login_(login) {
  for (auto& plugin : plugins) places_.push_back(std::make_unique<Place>(std::move(plugin), concurrency));
}

// The login pools first: what still runs there may hold a conversation, which ends on the workers of its place.
Authenticators::~Authenticators() {
  login_.pool().stop();
  login_.hashing().stop();
  for (const auto& place : places_) {
    place->pool.stop();
    place->endings.stop();
  }
}

std::size_t Authenticators::question_count(const Dialogue& dialogue) { return dialogue.count; }
bool Authenticators::checks_password(const Dialogue& dialogue) { return dialogue.check_password; }

bool Authenticators::wants(std::uint32_t method) const {
  for (const auto& place : places_) {
    if ((place->plugin->methods() & method) != 0) return true;
  }
  return false;
}

void Authenticators::begin(Presented presented, Done done) {
  std::make_shared<Walk>(*this, std::move(presented), std::move(done))->ask(0);
}

void Authenticators::answer(const std::shared_ptr<Dialogue>& dialogue, std::vector<Secret> answers, Done done) {
  const auto walk = std::make_shared<Walk>(*this, dialogue->presented, std::move(done));
  walk->answer(dialogue, std::move(answers));
}

}  // namespace host::auth
