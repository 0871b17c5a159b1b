// SPDX-License-Identifier: Apache-2.0
//
// The order of authenticators and the host's own checks, and that each attempt is counted once.
#include "host/auth/login_flow.h"

#include <sallyport/cpp/provider.hpp>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <span>

#include "host/auth/fake_authenticator_test.h"
#include "host/core/metrics.h"

namespace host::auth {
namespace {

using core::metrics::Counter;
using fake::AuthSink;
using fake::decides;
using plugin::AuthMethod;

constexpr char kKeyOfAda[] = "AAAAC3NzaC1lZDI1NTE5AAAAIDGG2iyaemx6kvtDkar8GQ5x/qfzHJINM1FsNt3zytNk";

// A data provider that is there and answers nothing.
class Down final : public sallyport::Provider<Down> {
 public:
  static constexpr const char* kType = "provider-down";
  static constexpr const char* kSummary = "fails";
  static constexpr std::string_view kStranger = "stranger";  // it knows that there is none of this name
  static constexpr const char* kConfigSchema = R"({"type": "object"})";
  static fake::Outcome<std::unique_ptr<Down>> create(const sp_host&, std::string_view) {
    return std::make_unique<Down>();
  }
  fake::Outcome<bool> prepare(std::string_view, std::uint32_t) { return false; }
  fake::Outcome<void> check(const sp_op&) { return kFails; }
  fake::Outcome<void> get(const sp_op&, std::string_view, std::string_view name, sallyport::RecordSink) {
    if (name == kStranger) return fake::Failure{SP_E_NOT_FOUND, "", 0};
    return kFails;
  }
  fake::Outcome<void> put(const sp_op&, std::string_view, std::string_view, std::uint32_t, std::string_view) {
    return kFails;
  }
  fake::Outcome<void> remove(const sp_op&, std::string_view, std::string_view) { return kFails; }
  fake::Outcome<void> list(const sp_op&, std::string_view, sallyport::RecordSink) { return kFails; }
  fake::Outcome<void> add(const sp_op&, std::string_view, std::string_view, std::span<const sp_delta>) {
    return kFails;
  }

 private:
  const fake::Failure kFails{SP_E_IO, "no route to the database", 0};
};
const sp_factory* const kDownFactories[] = {&sallyport::kProviderFactory<Down>, nullptr};
const sp_plugin kDownPlugin{sizeof(sp_plugin), SP_ABI,  0,       0,      "test.down", "provider-down", "1", "",
                            kDownFactories,    nullptr, nullptr, nullptr};

class LoginFlowTest : public testing::Test {
 protected:
  LoginFlowTest() {
    plugin::RegistryOptions options;
    options.directory = PLUGIN_DIRECTORY;
    registry_ = std::make_unique<plugin::Registry>(std::move(options));
    EXPECT_TRUE(registry_->adopt(&kDownPlugin));
  }
  void lose_the_data_provider() {
    users::StoreOptions options;
    options.driver = "down";
    auto opened = users::Store::open(*registry_, options);
    ASSERT_TRUE(opened) << opened.error().message();
    down_ = std::move(*opened);
  }
  users::Store& store() { return down_ ? *down_ : accounts_.store(); }
  void add(std::uint32_t methods, fake::Begin begin) { fake::add(plugins_, "fake", methods, std::move(begin)); }
  void add(std::uint32_t methods, fake::Decide decide) { add(methods, decides(std::move(decide))); }
  LoginFlow& flow() {
    if (flow_) return *flow_;
    login_ = std::make_unique<Login>(store(), defender_.get());
    if (!plugins_.empty()) authenticators_ = std::make_unique<Authenticators>(store(), *login_, std::move(plugins_), 4);
    flow_ = std::make_unique<LoginFlow>(*login_, authenticators_.get());
    return *flow_;
  }
  static Attempt by(const std::string& name) { return {name, "192.0.2.7", 1}; }
  static Secret secret(const std::string& text) { return std::make_shared<const std::string>(text); }

  Reply password(const std::string& name, const std::string& text, Method method = Method::kPassword) {
    return concluded(name, method, [&](auto done) { flow().password(by(name), secret(text), method, done); });
  }
  Reply key(const std::string& name, bool probe, std::optional<bool> known = std::nullopt) {
    const auto ask = [&](auto done) { flow().public_key(by(name), "ssh-ed25519", kKeyOfAda, probe, known, done); };
    return probe ? fake::wait_for<Reply>(ask) : concluded(name, Method::kPublicKey, ask);
  }
  Reply questions(const std::string& name) {
    return fake::wait_for<Reply>([&](auto done) { flow().begin_questions(by(name), done); });
  }
  Reply answers(const std::string& name, const std::shared_ptr<Dialogue>& dialogue, const std::string& text) {
    return concluded(name, Method::kKeyboardInteractive,
                     [&](auto done) { flow().answers(by(name), dialogue, {secret(text)}, done); });
  }

  // As whoever owns the connection does it.
  template <class Ask>
  Reply concluded(const std::string& name, Method method, const Ask& ask) {
    auto reply = fake::wait_for<Reply>(ask);
    if (!reply.asks && reply.grant) flow().conclude(by(name), method, lets_in_);
    return reply;
  }

  bool lets_in_ = true;
  fake::Accounts accounts_;
  std::unique_ptr<plugin::Registry> registry_;
  std::unique_ptr<users::Store> down_;
  std::unique_ptr<Defender> defender_;
  fake::Plugins plugins_;
  std::atomic<int> open_ = 0, asked_ = 0;
  // In the order in which a server makes them.
  std::unique_ptr<Login> login_;
  std::unique_ptr<Authenticators> authenticators_;
  std::unique_ptr<LoginFlow> flow_;
};

TEST_F(LoginFlowTest, WithoutAuthenticatorsTheHostDecides) {
  EXPECT_TRUE(password("ada", "secret").grant);
  EXPECT_FALSE(password("ada", "wrong").grant);
  EXPECT_FALSE(flow().asks_questions());
}

TEST_F(LoginFlowTest, WithoutAnOpinionTheHostDecides) {
  add(AuthMethod::kPassword, [](auto&, AuthSink sink) { return sink.next(); });
  EXPECT_TRUE(password("ada", "secret").grant);
  EXPECT_FALSE(password("ada", "wrong").grant);
}

TEST_F(LoginFlowTest, WhoIsLetInIsNotComparedButChecked) {
  add(AuthMethod::kPassword | AuthMethod::kPublicKey, [](auto&, AuthSink sink) { return sink.allow(); });
  EXPECT_TRUE(password("ada", "wrong").grant);
  EXPECT_TRUE(key("ada", false).grant);
  for (const auto* name : {"off", "nobody"}) {
    EXPECT_FALSE(password(name, "secret").grant) << name;
    EXPECT_FALSE(key(name, false).grant) << name;
  }
  EXPECT_FALSE(password("ada", "").grant) << "an empty password is none";
}

TEST_F(LoginFlowTest, WhoIsRefusedIsRefused) {
  add(AuthMethod::kPassword, [](auto&, AuthSink sink) { return sink.deny(); });
  const auto reply = password("ada", "secret");
  ASSERT_FALSE(reply.grant);
  EXPECT_EQ(reply.grant.error().text, "refused by fake");
}

TEST_F(LoginFlowTest, OurOwnQuestionIsForAPassword) {
  add(AuthMethod::kPassword, [&](auto&, AuthSink sink) { return ++asked_, sink.next(); });
  EXPECT_TRUE(password("ada", "secret", Method::kKeyboardInteractive).grant);
  EXPECT_EQ(asked_, 1) << "no way around whoever wants to see passwords";
}

TEST_F(LoginFlowTest, AKeyIsAskedAboutOnce) {
  add(AuthMethod::kPublicKey, [&](auto&, AuthSink sink) { return ++asked_, sink.allow(); });
  const auto probe = key("ada", true);
  EXPECT_TRUE(probe.grant);
  EXPECT_TRUE(probe.allowed);
  EXPECT_TRUE(key("ada", false, probe.allowed).grant);
  EXPECT_EQ(asked_, 1);
  EXPECT_FALSE(key("ada", false, false).grant) << "the host compares, and ada has no key";
  EXPECT_EQ(asked_, 1);
}

TEST_F(LoginFlowTest, QuestionsThatNobodyAsksAreOurs) {
  add(AuthMethod::kKeyboard, [](auto&, AuthSink sink) { return sink.next(); });
  EXPECT_TRUE(flow().asks_questions());
  const auto reply = questions("ada");
  EXPECT_TRUE(reply.asks);
  EXPECT_FALSE(reply.dialogue);
}

TEST_F(LoginFlowTest, WhoIsVouchedForMustBeThereAndActive) {
  add(AuthMethod::kKeyboard, [](auto&, AuthSink sink) { return sink.allow(); });
  EXPECT_EQ(questions("ada").grant->description, "keyboard-interactive");
  EXPECT_FALSE(questions("off").grant);
  EXPECT_FALSE(questions("nobody").grant);
}

TEST_F(LoginFlowTest, TheStoredPasswordIsComparedHere) {
  std::vector<std::string> handed_on;
  add(AuthMethod::kKeyboard, fake::asks(R"({"questions": ["P: "], "echos": [false], "check_password": 1})", open_,
                                        [&](const auto& answers, AuthSink sink) {
                                          handed_on.insert(handed_on.end(), answers.begin(), answers.end());
                                          return sink.allow();
                                        }));
  EXPECT_TRUE(answers("ada", questions("ada").dialogue, "secret").grant);
  EXPECT_EQ(handed_on, std::vector<std::string>{"OK"});
  for (const auto& [name, text] : {std::pair("ada", "wrong"), std::pair("ada", ""), std::pair("ada", "OK"),
                                   std::pair("off", "secret"), std::pair("nobody", "secret")}) {
    auto asked = questions(name);
    ASSERT_TRUE(asked.asks) << name;
    EXPECT_FALSE(answers(name, asked.dialogue, text).grant) << name << " " << text;
  }
  EXPECT_EQ(handed_on.size(), 1u) << "a wrong one is handed to nobody";
  flow_.reset();
  authenticators_.reset();
  EXPECT_EQ(open_, 0) << "conversations are over";
}

TEST_F(LoginFlowTest, WhoIsBannedReachesNobody) {
  DefenderOptions options;
  options.enabled = true;
  options.max_failures = options.max_failures_per_user = 1;
  defender_ = std::make_unique<Defender>(options);
  add(AuthMethod::kPassword | AuthMethod::kKeyboard, [&](auto&, AuthSink sink) { return ++asked_, sink.allow(); });
  EXPECT_TRUE(password("ada", "x").grant);
  EXPECT_TRUE(questions("ada").grant);
  EXPECT_EQ(asked_, 2);
  defender_->note_failure("192.0.2.7", "ada");
  EXPECT_FALSE(password("ada", "x").grant);
  EXPECT_FALSE(questions("ada").grant);
  EXPECT_EQ(asked_, 2);
}

TEST_F(LoginFlowTest, RefusalsOfPluginsCountForTheDefender) {
  DefenderOptions options;
  options.enabled = true;
  options.max_failures = options.max_failures_per_user = 3;
  defender_ = std::make_unique<Defender>(options);
  add(AuthMethod::kPassword | AuthMethod::kPublicKey, [&](auto&, AuthSink sink) -> fake::Outcome<void> {
    if (++asked_ > 2) return sink.deny();
    return fake::Failure{SP_E_IO, "broken", 0};
  });
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(password("ada", "x").grant);
  EXPECT_TRUE(defender_->bans().empty());
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(key("ada", false).grant);
  EXPECT_TRUE(defender_->bans().empty()) << "clients offer all the keys they have";
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(password("ada", "x").grant);
  EXPECT_TRUE(defender_->bans().empty()) << "a broken plugin is not the client's fault";
  EXPECT_FALSE(password("ada", "x").grant);
  EXPECT_FALSE(defender_->bans().empty());
}

// What fail2ban hears of depends on it.
TEST_F(LoginFlowTest, WhoIsRefusedWasChecked) {
  for (const auto& reply : {password("ada", "wrong"), password("nobody", "x"), password("off", "secret"),
                            password("ada", ""), key("ada", false)}) {
    ASSERT_FALSE(reply.grant);
    EXPECT_FALSE(reply.unchecked) << reply.grant.error().text;
  }
}

TEST_F(LoginFlowTest, NobodyIsCheckedWithoutTheDataProvider) {
  lose_the_data_provider();
  for (const auto& reply : {password("ada", "secret"), key("ada", false)}) {
    ASSERT_FALSE(reply.grant);
    EXPECT_TRUE(reply.unchecked) << reply.grant.error().text;
  }
}

constexpr auto kAll = AuthMethod::kPassword | AuthMethod::kPublicKey | AuthMethod::kKeyboard;

TEST_F(LoginFlowTest, AFailingPluginIsNoFailingDataProvider) {
  add(kAll, [](auto&, AuthSink) -> fake::Outcome<void> { return fake::Failure{SP_E_IO, "broken", 0}; });
  for (const auto& reply : {password("ada", "secret"), key("ada", false), questions("ada")}) {
    ASSERT_FALSE(reply.grant);
    EXPECT_FALSE(reply.unchecked) << reply.grant.error().text;
  }
}

TEST_F(LoginFlowTest, APluginIsNotAskedWithoutTheDataProvider) {
  lose_the_data_provider();
  add(kAll, [&](auto&, AuthSink sink) { return ++asked_, sink.allow(); });
  for (const auto& reply : {password("ada", "secret"), key("ada", false), questions("ada")}) {
    ASSERT_FALSE(reply.grant);
    EXPECT_TRUE(reply.unchecked) << reply.grant.error().text;
  }
  EXPECT_EQ(asked_, 0);
}

TEST_F(LoginFlowTest, AnAccountOfAPluginThatCannotBeStoredNow) {
  lose_the_data_provider();
  const std::string name(Down::kStranger);
  std::string json = fake::user_json(name);
  add(AuthMethod::kPassword, [&](auto&, AuthSink sink) { return sink.allow(json); });
  auto reply = password(name, "x");
  ASSERT_FALSE(reply.grant);
  EXPECT_TRUE(reply.unchecked) << reply.grant.error().text;
  json = "[]";
  reply = password(name, "x");
  ASSERT_FALSE(reply.grant);
  EXPECT_FALSE(reply.unchecked) << reply.grant.error().text;
}

TEST_F(LoginFlowTest, WhoFindsNoRoomIsNotChecked) {
  std::promise<void> free;
  const auto held = free.get_future().share();
  flow();
  const auto submit = [&] { return login_->hashing().submit("192.0.2.8", "eve", [held] { held.wait(); }); };
  // Who finds no room hears it at once. A thread may yet take a job from a queue that was full.
  const auto told = std::make_shared<std::atomic<bool>>(false);
  const auto unchecked = std::make_shared<std::atomic<bool>>(false);
  while (!told->load()) {
    while (submit()) continue;
    flow().password(by("ada"), secret("secret"), Method::kPassword, [told, unchecked](const Reply& reply) {
      if (!told->exchange(true)) *unchecked = !reply.grant && reply.unchecked;
    });
  }
  free.set_value();
  EXPECT_TRUE(unchecked->load());
}

TEST_F(LoginFlowTest, EachAttemptIsCountedOnce) {
  add(AuthMethod::kPassword, [](auto&, AuthSink sink) { return sink.next(); });
  add(AuthMethod::kPublicKey, [](auto&, AuthSink sink) { return sink.allow(); });
  add(AuthMethod::kKeyboard, fake::asks(R"({"questions": ["P: "], "echos": [false], "check_password": 1})", open_,
                                        [](const auto&, AuthSink sink) { return sink.allow(); }));
  using Counts = std::map<Counter, std::uint64_t>;
  const auto counts = [] {
    Counts out;
    for (const auto each : {Counter::kLoginAttempts, Counter::kLogins, Counter::kLoginFailures,
                            Counter::kPasswordAttempts, Counter::kPasswordLogins, Counter::kPasswordFailures,
                            Counter::kPublicKeyAttempts, Counter::kPublicKeyLogins, Counter::kPublicKeyFailures,
                            Counter::kKeyboardAttempts, Counter::kKeyboardLogins, Counter::kKeyboardFailures})
      out[each] = core::metrics::value(each);
    return out;
  };
  const auto counted = [&](const auto& attempt) {
    const auto before = counts();
    attempt();
    Counts changed;
    for (const auto& [counter, value] : counts()) {
      if (value != before.at(counter)) changed[counter] = value - before.at(counter);
    }
    return changed;
  };
  using C = Counter;
  EXPECT_EQ(counted([&] { password("ada", "secret"); }),
            (Counts{{C::kLoginAttempts, 1}, {C::kLogins, 1}, {C::kPasswordAttempts, 1}, {C::kPasswordLogins, 1}}));
  const auto let_in = std::exchange(lets_in_, false);
  EXPECT_EQ(
      counted([&] { password("ada", "secret"); }),
      (Counts{{C::kLoginAttempts, 1}, {C::kLoginFailures, 1}, {C::kPasswordAttempts, 1}, {C::kPasswordFailures, 1}}))
      << "granted, but there were too many sessions";
  lets_in_ = let_in;
  EXPECT_EQ(
      counted([&] { password("ada", "wrong"); }),
      (Counts{{C::kLoginAttempts, 1}, {C::kLoginFailures, 1}, {C::kPasswordAttempts, 1}, {C::kPasswordFailures, 1}}));
  EXPECT_EQ(counted([&] { key("ada", true); }), Counts()) << "nobody has tried yet";
  EXPECT_EQ(
      counted([&] { key("nobody", true); }),
      (Counts{{C::kLoginAttempts, 1}, {C::kLoginFailures, 1}, {C::kPublicKeyAttempts, 1}, {C::kPublicKeyFailures, 1}}))
      << "clients do not come back with a key that is refused when they ask";
  EXPECT_EQ(counted([&] { key("ada", false); }),
            (Counts{{C::kLoginAttempts, 1}, {C::kLogins, 1}, {C::kPublicKeyAttempts, 1}, {C::kPublicKeyLogins, 1}}));
  Reply asked;
  EXPECT_EQ(counted([&] { asked = questions("ada"); }), Counts());
  EXPECT_EQ(counted([&] { answers("ada", asked.dialogue, "secret"); }),
            (Counts{{C::kLoginAttempts, 1}, {C::kLogins, 1}, {C::kKeyboardAttempts, 1}, {C::kKeyboardLogins, 1}}));
  asked = questions("ada");
  EXPECT_EQ(
      counted([&] { answers("ada", asked.dialogue, "wrong"); }),
      (Counts{{C::kLoginAttempts, 1}, {C::kLoginFailures, 1}, {C::kKeyboardAttempts, 1}, {C::kKeyboardFailures, 1}}));
}

}  // namespace
}  // namespace host::auth
