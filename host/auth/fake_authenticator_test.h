// SPDX-License-Identifier: Apache-2.0
//
// What tests of logins share: authenticators that do what a test says, an account store in memory, and waiting for
// answers that come from workers.
#pragma once

#include <gtest/gtest.h>
#include <sallyport/cpp/auth.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/auth/authenticators.h"
#include "host/plugin/registry.h"

namespace host::auth::fake {

using sallyport::AuthSink;
using sallyport::ConversationPtr;
using sallyport::Failure;
using sallyport::Outcome;

using Begin = std::function<Outcome<ConversationPtr>(const sp_auth_request&, AuthSink)>;
using Decide = std::function<Outcome<void>(const sp_auth_request&, AuthSink)>;
using Step = std::function<Outcome<void>(const std::vector<std::string>&, AuthSink)>;

class Plugin : public sallyport::Authenticator<Plugin> {
 public:
  static constexpr std::uint32_t kMethods = 0;

  Plugin(std::uint32_t methods, Begin begin) : begin_(std::move(begin)) {
    own_ = *ops;
    own_.methods = methods;
    ops = &own_;
  }
  Outcome<ConversationPtr> begin(const sp_op&, const sp_auth_request& request, AuthSink sink) {
    return begin_(request, sink);
  }

 private:
  sp_authenticator_ops own_{};
  const Begin begin_;
};

class Talk final : public sallyport::Conversation<Talk> {
 public:
  Talk(Step step, std::atomic<int>& open) : step_(std::move(step)), open_(open) { ++open_; }
  ~Talk() { --open_; }
  Outcome<void> step(const sp_op&, std::span<const sp_str> answers, AuthSink sink) {
    std::vector<std::string> texts;
    for (const auto& each : answers) texts.emplace_back(sallyport::view(each));
    return step_(texts, sink);
  }

 private:
  const Step step_;
  std::atomic<int>& open_;
};

using Plugins = std::vector<std::unique_ptr<plugin::Authenticator>>;

inline void add(Plugins& to, const std::string& name, std::uint32_t methods, Begin begin) {
  to.push_back(std::make_unique<plugin::Authenticator>(name, new Plugin(methods, std::move(begin))));
}

// One without questions.
inline Begin decides(Decide decide) {
  return [decide = std::move(decide)](const sp_auth_request& request, AuthSink sink) -> Outcome<ConversationPtr> {
    auto done = decide(request, sink);
    if (!done) return done.failure();
    return ConversationPtr();
  };
}

// One that asks `questions`, then does what `step` does. `open` counts its conversations.
inline Begin asks(std::string questions, std::atomic<int>& open, Step step) {
  return [questions = std::move(questions), &open, step = std::move(step)](const sp_auth_request&,
                                                                           AuthSink sink) -> Outcome<ConversationPtr> {
    auto talk = ConversationPtr(new Talk(step, open));
    auto asked = sink.ask(questions);
    if (!asked) return asked.failure();
    return talk;
  };
}

// What `call` hands to its callback, whichever thread that is on.
template <class Answer, class Call>
Answer wait_for(const Call& call) {
  auto answered = std::make_shared<std::promise<Answer>>();
  call([answered](Answer answer) { answered->set_value(std::move(answer)); });
  return answered->get_future().get();
}

constexpr char kHashOfSecret[] = "$1$saltsalt$9xy1btjgzLYfb7hivXtC//";  // "secret"

// A store over the memory provider with ada, and off, who is disabled. Both have the password "secret".
class Accounts {
 public:
  Accounts() {
    plugin::RegistryOptions options;
    options.directory = PLUGIN_DIRECTORY;
    registry_ = std::make_unique<plugin::Registry>(std::move(options));
    users::StoreOptions memory;
    memory.driver = "memory";
    memory.provider_config_json = "{}";
    auto opened = users::Store::open(*registry_, memory);
    EXPECT_TRUE(opened) << opened.error().text;
    store_ = std::move(*opened);
    for (const auto& [name, status] : {std::pair("ada", 1), std::pair("off", 0)}) {
      users::User user;
      user.username = name;
      user.status = status;
      user.password = kHashOfSecret;
      user.home_dir = std::string("/srv/") + name;
      user.permissions[core::VirtualPath()] = users::kAll;
      EXPECT_TRUE(store_->add(user));
    }
  }
  users::Store& store() { return *store_; }
  users::Store* operator->() { return store_.get(); }

 private:
  std::unique_ptr<plugin::Registry> registry_;
  std::unique_ptr<users::Store> store_;
};

// A whole user, as a plugin hands one over.
inline std::string user_json(const std::string& name) {
  return R"({"username": ")" + name + R"(", "status": 1, "password": ")" + kHashOfSecret + R"(", "home_dir": "/srv/)" +
         name + R"(", "permissions": {"/": ["*"]}, "quota_files": 5})";
}

}  // namespace host::auth::fake
