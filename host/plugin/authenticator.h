// SPDX-License-Identifier: Apache-2.0
//
// An authenticator plugin as the host sees it: asked about a login, it lets in, refuses, asks questions of its own, or
// leaves the decision to the next. Calls block: workers only, several at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/core/result.h"
#include "host/plugin/storage_types.h"

struct sp_authenticator;
struct sp_conversation;

namespace host::plugin {

// Bits; numbers equal SP_AUTH_* (checked in authenticator.cpp).
struct AuthMethod {
  static constexpr std::uint32_t kPassword = 1, kPublicKey = 2, kKeyboard = 4;
};

// Borrowed for the call.
struct AuthRequest {
  std::uint32_t method = 0;  // one AuthMethod
  std::string_view user, address;
  std::string_view secret;      // of kPassword
  std::string_view public_key;  // of kPublicKey, as in an authorized_keys file
  std::string_view user_json;   // the stored account; empty: there is none
};

struct AuthAnswer {
  enum class Decision : std::uint32_t { kNext = 0, kAllow = 1, kDeny = 2, kAsk = 3, kUpdated = 4 };
  Decision decision = Decision::kDeny;
  std::string json;  // kAllow, kUpdated: the account, may be empty; kAsk: the questions
};

// Questions and answers of one keyboard-interactive login. One call at a time; the destructor may block, too.
class Conversation {
 public:
  Conversation(std::string name, sp_conversation* conversation) : name_(std::move(name)), conversation_(conversation) {}
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  core::Result<AuthAnswer> step(const Op& op, const std::vector<std::string_view>& answers);

 private:
  const std::string name_;
  sp_conversation* const conversation_;
};

class Authenticator {
 public:
  struct Begun {
    AuthAnswer answer;
    std::unique_ptr<Conversation> conversation;  // with kAsk only
  };

  // `where`: the key of the configuration that it comes from, if any.
  Authenticator(std::string name, sp_authenticator* authenticator, std::string_view where = {})
      : name_(std::move(name)),
        label_(where.empty() ? name_ : name_ + " (" + std::string(where) + ")"),
        authenticator_(authenticator) {}
  ~Authenticator();  // after its conversations
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  const std::string& name() const { return name_; }
  const std::string& label() const { return label_; }  // for those who look for what is wrong
  std::uint32_t methods() const;                       // AuthMethod bits it wants to see
  core::Result<Begun> begin(const Op& op, const AuthRequest& request);

 private:
  const std::string name_;
  const std::string label_;
  sp_authenticator* const authenticator_;
};

// While it exists, plugins see that the session is gone (sp_host.cancelled).
class SessionGone {
 public:
  explicit SessionGone(std::uint64_t session_id);
  ~SessionGone();
  SessionGone(const SessionGone&) = delete;
  SessionGone& operator=(const SessionGone&) = delete;

 private:
  const std::uint64_t session_id_;
};

}  // namespace host::plugin
