// SPDX-License-Identifier: Apache-2.0
//
// C++ sugar over auth.h: write one or two classes, get the C tables. Header-only, C++20.
//
//   class MyAuth : public sallyport::Authenticator<MyAuth>       create (see plugin.hpp), kMethods, begin
//   class MyTalk : public sallyport::Conversation<MyTalk>        step; only for keyboard-interactive logins
//
// static constexpr std::uint32_t kMethods names the SP_AUTH_* bits it wants to see.
// Outcome<std::unique_ptr<sp_conversation, EndConversation>> begin(const sp_op&, const sp_auth_request&, AuthSink)
// answers through the sink; it returns a conversation after ask(), otherwise an empty pointer. Outcome<void> step(const
// sp_op&, std::span<const sp_str> answers, AuthSink). Exceptions become statuses.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "../auth.h"
#include "plugin.hpp"

namespace sallyport {

// Where the outcome of begin or step goes: exactly one of these, once.
class AuthSink {
 public:
  explicit AuthSink(const sp_auth_sink* sink) : sink_(sink) {}
  Outcome<void> next() const { return result(SP_AUTH_NEXT, {}); }
  Outcome<void> deny() const { return result(SP_AUTH_DENY, {}); }
  Outcome<void> allow(std::string_view user_json = {}) const { return result(SP_AUTH_ALLOW, user_json); }
  Outcome<void> updated(std::string_view user_json) const { return result(SP_AUTH_UPDATED, user_json); }
  Outcome<void> ask(std::string_view questions_json) const { return result(SP_AUTH_ASK, questions_json); }

 private:
  Outcome<void> result(std::uint32_t decision, std::string_view json) const {
    const sp_status status = sink_->result(sink_->ctx, decision, str(json));
    if (status != SP_OK) return Failure{status, "the host refused the decision", 0};
    return {};
  }
  const sp_auth_sink* sink_;
};

// Releases a conversation the way the host does.
struct EndConversation {
  void operator()(sp_conversation* conversation) const { conversation->ops->end(conversation); }
};
using ConversationPtr = std::unique_ptr<sp_conversation, EndConversation>;

namespace detail {

template <class T>
struct ConversationThunks {
  static T& self(sp_conversation* conversation) { return *static_cast<T*>(conversation); }
  static sp_status SP_CALL step(sp_conversation* conversation, const sp_op* op, const sp_str* answers, size_t count,
                                const sp_auth_sink* sink, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> {
      return self(conversation).step(*op, std::span<const sp_str>(answers, count), AuthSink(sink));
    });
  }
  static void SP_CALL end(sp_conversation* conversation) noexcept { delete &self(conversation); }
  static constexpr sp_conversation_ops kOps{sizeof(sp_conversation_ops), 0, &step, &end};
};

template <class T>
struct AuthenticatorThunks {
  static T& self(sp_authenticator* authenticator) { return *static_cast<T*>(authenticator); }
  static void SP_CALL destroy(sp_authenticator* authenticator) noexcept { delete &self(authenticator); }
  static sp_status SP_CALL begin(sp_authenticator* authenticator, const sp_op* op, const sp_auth_request* request,
                                 const sp_auth_sink* sink, sp_conversation** out, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> {
      return hand_over(self(authenticator).begin(*op, complete(request), AuthSink(sink)),
                       [&](ConversationPtr& conversation) { *out = conversation.release(); });
    });
  }
  static const void* SP_CALL extension(sp_authenticator*, const char*) noexcept { return nullptr; }
  static constexpr sp_authenticator_ops kOps{sizeof(sp_authenticator_ops), T::kMethods, &destroy, &begin, &extension};
};

}  // namespace detail

// Not copyable: their addresses are their identities.
template <class T>
class Conversation : public sp_conversation {
 public:
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

 protected:
  Conversation() : sp_conversation{&detail::ConversationThunks<T>::kOps} {}
  ~Conversation() = default;
};

template <class T>
class Authenticator : public sp_authenticator {
 public:
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

 protected:
  Authenticator() : sp_authenticator{&detail::AuthenticatorThunks<T>::kOps} {}
  ~Authenticator() = default;
};

template <class T>
inline constexpr sp_factory kAuthenticatorFactory = make_factory<T, sp_authenticator>(SP_KIND_AUTH, SP_AUTH_ABI);

}  // namespace sallyport
