// SPDX-License-Identifier: Apache-2.0
//
// An authenticator behind its C table. Runs on the workers of host/auth. Whatever is odd about an answer (none, two, an
// unknown decision, questions without a conversation) is a failure here, never a login.
#include "host/plugin/authenticator.h"

#include <sallyport/auth.h>

#include "host/core/limits.h"
#include "host/plugin/error.h"
#include "host/plugin/host_services.h"

namespace host::plugin {

using core::Error;
using core::Result;
using core::Status;
using Decision = AuthAnswer::Decision;

static_assert(AuthMethod::kPassword == SP_AUTH_PASSWORD && AuthMethod::kPublicKey == SP_AUTH_PUBLIC_KEY &&
              AuthMethod::kKeyboard == SP_AUTH_KEYBOARD);
static_assert(static_cast<std::uint32_t>(Decision::kNext) == SP_AUTH_NEXT &&
              static_cast<std::uint32_t>(Decision::kAllow) == SP_AUTH_ALLOW &&
              static_cast<std::uint32_t>(Decision::kDeny) == SP_AUTH_DENY &&
              static_cast<std::uint32_t>(Decision::kAsk) == SP_AUTH_ASK &&
              static_cast<std::uint32_t>(Decision::kUpdated) == SP_AUTH_UPDATED);

namespace {

// The one answer that a call gives.
struct Sink {
  AuthAnswer answer;
  int answers = 0;
  sp_auth_sink raw{this, &Sink::result};

  static sp_status SP_CALL result(void* self, std::uint32_t decision, sp_str json) noexcept {
    auto& sink = *static_cast<Sink*>(self);
    ++sink.answers;
    if (sink.answers > 1 || decision > SP_AUTH_UPDATED || json.len > core::limits::kMaxUserRecordBytes) {
      sink.answers = 2;
      return SP_E_INVALID;
    }
    try {
      sink.answer = {static_cast<Decision>(decision), std::string(to_view(json))};
    } catch (...) {
      return SP_E_INTERNAL;
    }
    return SP_OK;
  }

  Result<AuthAnswer> take(const std::string& name, sp_status status, const ErrorSlot& error) {
    if (status != SP_OK) return to_error(status, error, name);
    if (answers != 1) return Error(Status::kInternal, name + ": gave no answer, several, or one too large");
    return std::move(answer);
  }
};

}  // namespace

Conversation::~Conversation() { conversation_->ops->end(conversation_); }

Result<AuthAnswer> Conversation::step(const Op& op, const std::vector<std::string_view>& answers) {
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  Sink sink;
  std::vector<sp_str> raw;
  raw.reserve(answers.size());
  for (const auto answer : answers) raw.push_back(to_c(answer));
  const auto status = conversation_->ops->step(conversation_, &raw_op, raw.data(), raw.size(), &sink.raw, error.out());
  return sink.take(name_, status, error);
}

Authenticator::~Authenticator() { authenticator_->ops->destroy(authenticator_); }

std::uint32_t Authenticator::methods() const { return authenticator_->ops->methods; }

Result<Authenticator::Begun> Authenticator::begin(const Op& op, const AuthRequest& request) {
  const sp_op raw_op = to_c(op);
  sp_auth_request raw{};
  raw.struct_size = sizeof raw;
  raw.method = request.method;
  raw.user = to_c(request.user);
  raw.address = to_c(request.address);
  raw.secret = {request.secret.data(), request.secret.size()};
  raw.public_key = to_c(request.public_key);
  raw.user_json = to_c(request.user_json);
  ErrorSlot error;
  Sink sink;
  sp_conversation* conversation = nullptr;
  const auto status = authenticator_->ops->begin(authenticator_, &raw_op, &raw, &sink.raw, &conversation, error.out());
  Begun begun;
  if (conversation != nullptr) {
    if (!SP_HAS(sp_conversation_ops, conversation->ops, step) || !SP_HAS(sp_conversation_ops, conversation->ops, end))
      return Error(Status::kInternal, name_ + ": made a conversation without step or end");
    begun.conversation = std::make_unique<Conversation>(name_, conversation);
  }
  auto answer = sink.take(name_, status, error);
  if (!answer) return answer.error();
  const bool asks = answer->decision == Decision::kAsk;
  if (asks && request.method != AuthMethod::kKeyboard)
    return Error(Status::kInternal, name_ + ": questions are for keyboard-interactive logins only");
  if (asks != (begun.conversation != nullptr))
    return Error(Status::kInternal, name_ + ": questions and a conversation go together");
  begun.answer = std::move(*answer);
  return begun;
}

SessionGone::SessionGone(std::uint64_t session_id) : session_id_(session_id) { mark_cancelled(session_id_); }
SessionGone::~SessionGone() { forget_cancelled(session_id_); }

}  // namespace host::plugin
