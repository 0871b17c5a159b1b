// SPDX-License-Identifier: Apache-2.0
//
// The walk from one authenticator to the next: who is asked, what becomes of answers, and that nobody waits for others.
#include "host/auth/authenticators.h"

#include <latch>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "host/auth/fake_authenticator_test.h"

namespace host::auth {
namespace {

using fake::AuthSink;
using fake::decides;
using plugin::AuthMethod;
using Kind = Authenticators::Outcome::Kind;
using AuthOutcome = Authenticators::Outcome;

constexpr char kOneQuestion[] = R"({"instruction": "hello", "questions": ["Word: "], "echos": [true]})";

class AuthenticatorsTest : public testing::Test {
 protected:
  void add(const std::string& name, std::uint32_t methods, fake::Begin begin) {
    fake::add(plugins_, name, methods, std::move(begin));
  }
  Authenticators& all(std::size_t concurrency = 4) {
    if (!all_) all_ = std::make_unique<Authenticators>(accounts_.store(), login_, std::move(plugins_), concurrency);
    return *all_;
  }
  static Presented presents(const std::string& user, std::uint32_t method = AuthMethod::kPassword,
                            std::uint64_t session = 1) {
    Presented out;
    out.attempt = {user, "192.0.2.7", session};
    out.method = method;
    if (method == AuthMethod::kPassword) out.secret = std::make_shared<const std::string>("shown");
    if (method == AuthMethod::kPublicKey) out.public_key = "ssh-ed25519 AAAA";
    return out;
  }
  AuthOutcome ask(const Presented& presented) {
    auto& all = this->all();
    return fake::wait_for<AuthOutcome>([&](auto done) { all.begin(presented, done); });
  }
  AuthOutcome answer(const std::shared_ptr<Authenticators::Dialogue>& dialogue, const std::string& text) {
    return fake::wait_for<AuthOutcome>(
        [&](auto done) { all().answer(dialogue, {std::make_shared<const std::string>(text)}, done); });
  }

  fake::Accounts accounts_;
  Login login_{accounts_.store()};
  fake::Plugins plugins_;
  std::atomic<int> open_ = 0;  // conversations
  std::unique_ptr<Authenticators> all_;
};

TEST_F(AuthenticatorsTest, TheFirstWhoDecidesDecides) {
  std::string asked;
  add("one", AuthMethod::kPassword, decides([&](auto&, AuthSink sink) { return asked += "1", sink.next(); }));
  add("two", AuthMethod::kPassword, decides([&](auto&, AuthSink sink) { return asked += "2", sink.allow(); }));
  add("three", AuthMethod::kPassword, decides([&](auto&, AuthSink sink) { return asked += "3", sink.deny(); }));
  const auto outcome = ask(presents("ada"));
  EXPECT_EQ(outcome.kind, Kind::kAllowed);
  EXPECT_EQ(outcome.by, "two");
  EXPECT_EQ(asked, "12");
}

TEST_F(AuthenticatorsTest, OnlyWhoWantsTheMethodIsAsked) {
  add("keys", AuthMethod::kPublicKey, decides([](auto&, AuthSink sink) { return sink.deny(); }));
  EXPECT_TRUE(all().wants(AuthMethod::kPublicKey));
  EXPECT_FALSE(all().wants(AuthMethod::kPassword));
  EXPECT_EQ(ask(presents("ada")).kind, Kind::kNext);
  EXPECT_EQ(ask(presents("ada", AuthMethod::kPublicKey)).kind, Kind::kRefused);
}

TEST_F(AuthenticatorsTest, WhatWasShownAndWhatIsStoredIsHandedOn) {
  std::vector<std::string> seen;
  add("one", AuthMethod::kPassword | AuthMethod::kPublicKey, decides([&](const sp_auth_request& r, AuthSink sink) {
        seen = {std::to_string(r.method),
                std::string(sallyport::view(r.user)),
                std::string(sallyport::view(r.address)),
                std::string(static_cast<const char*>(r.secret.ptr), r.secret.len),
                std::string(sallyport::view(r.public_key)),
                std::string(sallyport::view(r.user_json))};
        return sink.next();
      }));
  ask(presents("ada"));
  ASSERT_EQ(seen.size(), 6u);
  const auto stored = nlohmann::json::parse(seen[5]);
  EXPECT_EQ(stored["username"], "ada");
  EXPECT_EQ(stored["password"], fake::kHashOfSecret);
  seen.pop_back();
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "ada", "192.0.2.7", "shown", ""}));
  ask(presents("nobody", AuthMethod::kPublicKey));
  EXPECT_EQ(seen, (std::vector<std::string>{"2", "nobody", "192.0.2.7", "", "ssh-ed25519 AAAA", ""}));
}

TEST_F(AuthenticatorsTest, AChangeIsStoredBeforeTheNextIsAsked) {
  std::string second_saw;
  add("one", AuthMethod::kPassword,
      decides([](auto&, AuthSink sink) { return sink.updated(R"({"quota_files": 9})"); }));
  add("two", AuthMethod::kPassword, decides([&](const sp_auth_request& r, AuthSink sink) {
        second_saw = sallyport::view(r.user_json);
        return sink.next();
      }));
  EXPECT_EQ(ask(presents("ada")).kind, Kind::kNext);
  EXPECT_EQ(nlohmann::json::parse(second_saw)["quota_files"], 9);
  EXPECT_EQ(accounts_->find("ada")->quota_files, 9);
  EXPECT_EQ(accounts_->find("ada")->home_dir, "/srv/ada");
}

TEST_F(AuthenticatorsTest, AUserWhoIsLetInIsStoredAndAnotherIsNot) {
  std::string answer = fake::user_json("new");
  add("one", AuthMethod::kPassword, decides([&](auto&, AuthSink sink) { return sink.allow(answer); }));
  const auto added = ask(presents("new"));
  ASSERT_EQ(added.kind, Kind::kAllowed) << added.error.text;
  EXPECT_EQ(accounts_->find("new")->quota_files, 5);
  for (const auto& bad : {fake::user_json("other"), std::string("[]"), std::string(R"({"username": "eve"})")}) {
    answer = bad;
    const auto outcome = ask(presents("eve"));
    EXPECT_EQ(outcome.kind, Kind::kRefused) << bad;
    EXPECT_EQ(outcome.error.status, core::Status::kIo) << "no wrong password";
    EXPECT_TRUE(outcome.error.text.starts_with("one: the user is not accepted: ")) << outcome.error.text;
  }
  EXPECT_FALSE(accounts_->find("eve"));
  EXPECT_FALSE(accounts_->find("other"));
}

TEST_F(AuthenticatorsTest, RefusalsAndFailuresEndItAndSayWho) {
  bool fails = false;
  add("one", AuthMethod::kPassword, decides([&](auto&, AuthSink sink) -> fake::Outcome<void> {
        if (fails) return fake::Failure{SP_E_IO, "broken", 0};
        return sink.deny();
      }));
  add("two", AuthMethod::kPassword, decides([](auto&, AuthSink sink) { return sink.allow(); }));
  EXPECT_EQ(ask(presents("ada")).error.text, "refused by one");
  fails = true;
  const auto failed = ask(presents("ada"));
  EXPECT_EQ(failed.kind, Kind::kRefused);
  EXPECT_EQ(failed.error.text, "one: broken");
}

TEST_F(AuthenticatorsTest, QuestionsAndTheirAnswers) {
  std::vector<std::string> said;
  add("one", AuthMethod::kKeyboard, fake::asks(kOneQuestion, open_, [&](const auto& answers, AuthSink sink) {
        said.insert(said.end(), answers.begin(), answers.end());
        return said.size() < 2 ? sink.ask(R"({"questions": ["P: "], "echos": [false], "check_password": 1})")
                               : sink.allow();
      }));
  auto first = ask(presents("ada", AuthMethod::kKeyboard));
  ASSERT_EQ(first.kind, Kind::kAsks);
  EXPECT_EQ(first.questions.instruction, "hello");
  EXPECT_EQ(Authenticators::question_count(*first.dialogue), 1u);
  EXPECT_FALSE(Authenticators::checks_password(*first.dialogue));
  auto second = answer(first.dialogue, "word");
  ASSERT_EQ(second.kind, Kind::kAsks);
  EXPECT_TRUE(Authenticators::checks_password(*second.dialogue));
  EXPECT_EQ(answer(second.dialogue, "OK").kind, Kind::kAllowed);
  EXPECT_EQ(said, (std::vector<std::string>{"word", "OK"}));
  EXPECT_EQ(answer(first.dialogue, "again").kind, Kind::kRefused) << "it is over";
  first.dialogue.reset();
  second.dialogue.reset();
  all_.reset();
  EXPECT_EQ(open_, 0);
}

TEST_F(AuthenticatorsTest, LettingGoEndsTheConversation) {
  add("one", AuthMethod::kKeyboard,
      fake::asks(kOneQuestion, open_, [](const auto&, AuthSink sink) { return sink.allow(); }));
  auto outcome = ask(presents("ada", AuthMethod::kKeyboard));
  ASSERT_EQ(outcome.kind, Kind::kAsks);
  EXPECT_EQ(open_, 1);
  outcome.dialogue.reset();
  all_.reset();  // waits for its workers
  EXPECT_EQ(open_, 0);
}

TEST_F(AuthenticatorsTest, WhatCannotBeAskedEndsTheConversation) {
  add("one", AuthMethod::kKeyboard,
      fake::asks(R"({"questions": []})", open_, [](const auto&, AuthSink sink) { return sink.allow(); }));
  const auto outcome = ask(presents("ada", AuthMethod::kKeyboard));
  EXPECT_EQ(outcome.kind, Kind::kRefused);
  EXPECT_EQ(outcome.error.status, core::Status::kIo) << "no wrong password";
  EXPECT_TRUE(outcome.error.text.starts_with("one: its questions")) << outcome.error.text;
  all_.reset();
  EXPECT_EQ(open_, 0);
}

TEST_F(AuthenticatorsTest, NothingIsStoredForWhoHasLeft) {
  std::latch asked(1), gone(1);
  add("one", AuthMethod::kPassword, decides([&](auto&, AuthSink sink) {
        asked.count_down();
        gone.wait();
        return sink.allow(fake::user_json("new"));
      }));
  std::promise<AuthOutcome> answered;
  all().begin(presents("new", AuthMethod::kPassword, 77),
              [&](AuthOutcome outcome) { answered.set_value(std::move(outcome)); });
  asked.wait();
  const plugin::SessionGone left(77);
  gone.count_down();
  EXPECT_EQ(answered.get_future().get().error.status, core::Status::kCancelled);
  EXPECT_FALSE(accounts_->find("new"));
}

TEST_F(AuthenticatorsTest, NobodyIsAskedAboutWhoHasLeft) {
  std::latch asked(1), release(1);
  std::atomic<int> asks = 0;
  add("one", AuthMethod::kPassword, decides([&](auto&, AuthSink sink) {
        if (++asks == 1) asked.count_down(), release.wait();
        return sink.deny();
      }));
  std::promise<AuthOutcome> first, second;
  auto& all = this->all(1);
  all.begin(presents("ada"), [&](AuthOutcome outcome) { first.set_value(std::move(outcome)); });
  asked.wait();
  all.begin(presents("ada", AuthMethod::kPassword, 77),
            [&](AuthOutcome outcome) { second.set_value(std::move(outcome)); });
  const plugin::SessionGone left(77);
  release.count_down();
  EXPECT_EQ(second.get_future().get().error.status, core::Status::kCancelled);
  EXPECT_EQ(first.get_future().get().error.text, "refused by one");
  EXPECT_EQ(asks, 1);
}

TEST_F(AuthenticatorsTest, ConversationsEndThoughAllWorkersAreBusy) {
  std::latch asked(1), release(1);
  auto question = fake::asks(kOneQuestion, open_, [](const auto&, AuthSink sink) { return sink.allow(); });
  add("one", AuthMethod::kKeyboard | AuthMethod::kPassword,
      [&](const sp_auth_request& request, AuthSink sink) -> fake::Outcome<fake::ConversationPtr> {
        if (request.method == AuthMethod::kKeyboard) return question(request, sink);
        asked.count_down();
        release.wait();
        return fake::Failure{SP_E_DENIED, "no", 0};
      });
  auto& all = this->all(1);
  auto outcome = ask(presents("ada", AuthMethod::kKeyboard));
  std::promise<void> answered;
  all.begin(presents("ada"), [&](const AuthOutcome&) { answered.set_value(); });
  asked.wait();
  outcome.dialogue.reset();
  for (int i = 0; i < 1000 && open_ > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(open_, 0);
  release.count_down();
  answered.get_future().get();
}

// One that hangs holds its own workers only: not those of the others, not the login pool.
TEST_F(AuthenticatorsTest, ASlowOneHoldsUpNobodyElse) {
  constexpr int kWaiting = 50, kAtOnce = 2;
  std::latch release(1), all_ended(kWaiting);
  std::atomic<int> inside = 0, most = 0;
  std::atomic<bool> early = false;
  add("slow", AuthMethod::kKeyboard, decides([&](auto&, AuthSink sink) {
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) continue;
        release.wait();
        --inside;
        return sink.allow();
      }));
  add("quick", AuthMethod::kPassword, decides([](auto&, AuthSink sink) { return sink.allow(); }));
  auto& all = this->all(kAtOnce);
  for (int i = 0; i < kWaiting; ++i) {
    all.begin(presents("ada", AuthMethod::kKeyboard), [&](const AuthOutcome& outcome) {
      EXPECT_EQ(outcome.kind, Kind::kAllowed);
      early = early || !release.try_wait();
      all_ended.count_down();
    });
  }
  EXPECT_EQ(ask(presents("ada")).kind, Kind::kAllowed);
  EXPECT_EQ(ask(presents("ada", AuthMethod::kPublicKey)).kind, Kind::kNext);
  std::promise<void> ran;
  ASSERT_TRUE(login_.pool().submit([&] { ran.set_value(); }));
  ran.get_future().get();
  release.count_down();
  all_ended.wait();
  EXPECT_FALSE(early);
  EXPECT_LE(most, kAtOnce);
}

}  // namespace
}  // namespace host::auth
