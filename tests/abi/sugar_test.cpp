// SPDX-License-Identifier: Apache-2.0
//
// The C++ sugar of the kinds that no built-in plugin uses yet, called through the C tables it makes: values arrive,
// exceptions become statuses, a method that is missing is a NULL slot.
#include <gtest/gtest.h>

#include <sallyport/cpp/auth.hpp>
#include <sallyport/cpp/notifier.hpp>
#include <sallyport/cpp/service.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using sallyport::Failure;
using sallyport::Outcome;

std::vector<std::string> seen;  // what the classes below were told, reset by each test
int alive = 0;                  // objects that exist

struct Counted {
  Counted() { ++alive; }
  ~Counted() { --alive; }
};

class Bell : public sallyport::Notifier<Bell>, Counted {
 public:
  static constexpr const char* kType = "bell";
  static constexpr const char* kSummary = "rings";
  static constexpr const char* kConfigSchema = R"({"type": "object"})";
  static Outcome<std::unique_ptr<Bell>> create(const sp_host&, std::string_view config) {
    if (config == "{\"broken\":true}") throw std::runtime_error("no clapper");
    return std::make_unique<Bell>();
  }
  bool wants(std::string_view kind) const { return kind == "upload"; }
  Outcome<void> notify(const sp_op&, std::string_view event) {
    seen.emplace_back(event);
    return {};
  }
};

class Gate : public sallyport::Notifier<Gate>, Counted {
 public:
  bool wants(std::string_view) const { return true; }
  Outcome<void> notify(const sp_op&, std::string_view) { throw 7; }
  Outcome<void> decide(const sp_op&, std::string_view) { return Failure{SP_E_DENIED, "not today", 0}; }
};

class Beacon : public sallyport::Service<Beacon>, Counted {
 public:
  Outcome<void> start() {
    seen.emplace_back("start");
    return {};
  }
  Outcome<void> stop(const sp_op&) { throw std::runtime_error("stuck"); }
};

class Talk : public sallyport::Conversation<Talk>, Counted {
 public:
  Outcome<void> step(const sp_op&, std::span<const sp_str> answers, sallyport::AuthSink sink) {
    const bool right = answers.size() == 1 && sallyport::view(answers[0]) == "42";
    return right ? sink.allow(R"({"username":"ann"})") : sink.deny();
  }
};

class Door : public sallyport::Authenticator<Door>, Counted {
 public:
  static constexpr std::uint32_t kMethods = SP_AUTH_KEYBOARD;
  Outcome<sallyport::ConversationPtr> begin(const sp_op&, const sp_auth_request& request, sallyport::AuthSink sink) {
    if (request.method != SP_AUTH_KEYBOARD) {
      if (auto told = sink.next(); !told) return std::move(told.failure());
      return sallyport::ConversationPtr();
    }
    if (auto told = sink.ask(R"({"questions":["?"]})"); !told) return std::move(told.failure());
    return sallyport::ConversationPtr(new Talk);
  }
};

sp_error fresh() {
  sp_error error{};
  error.struct_size = sizeof error;
  return error;
}

sp_status SP_CALL remember(void*, std::uint32_t decision, sp_str json) noexcept {
  seen.push_back(std::to_string(decision) + " " + std::string(sallyport::view(json)));
  return SP_OK;
}

const sp_op kOp{sizeof(sp_op), 0, 0, 0, 0};

class SugarTest : public testing::Test {
 protected:
  SugarTest() { seen.clear(); }
  ~SugarTest() override { EXPECT_EQ(alive, 0) << "something was not released"; }
};

TEST_F(SugarTest, NotifierIsMadeToldAndReleased) {
  constexpr sp_factory kFactory = sallyport::kNotifierFactory<Bell>;
  EXPECT_EQ(kFactory.kind, SP_KIND_NOTIFIER);
  void* object = nullptr;
  sp_error error = fresh();
  const sp_host host{};
  ASSERT_EQ(kFactory.create(&host, sallyport::str("{}"), &object, &error), SP_OK);
  auto* const bell = static_cast<sp_notifier*>(object);
  EXPECT_EQ(bell->ops->wants(bell, sallyport::str("upload")), 1u);
  EXPECT_EQ(bell->ops->wants(bell, sallyport::str("download")), 0u);
  EXPECT_EQ(bell->ops->notify(bell, &kOp, sallyport::str("{}"), &error), SP_OK);
  EXPECT_EQ(seen, (std::vector<std::string>{"{}"}));
  EXPECT_EQ(bell->ops->decide, nullptr);
  bell->ops->destroy(bell);
}

TEST_F(SugarTest, AThrowingCreateIsAStatus) {
  void* object = nullptr;
  sp_error error = fresh();
  const sp_host host{};
  EXPECT_EQ(sallyport::kNotifierFactory<Bell>.create(&host, sallyport::str("{\"broken\":true}"), &object, &error),
            SP_E_INTERNAL);
  EXPECT_STREQ(error.message, "no clapper");
  EXPECT_EQ(object, nullptr);
}

TEST_F(SugarTest, ThrowsAndRefusalsBecomeStatuses) {
  Gate gate;
  sp_notifier* const raw = &gate;
  sp_error error = fresh();
  EXPECT_EQ(raw->ops->notify(raw, &kOp, sallyport::str("{}"), &error), SP_E_INTERNAL);
  EXPECT_STREQ(error.message, "unknown exception");
  EXPECT_EQ(raw->ops->decide(raw, &kOp, sallyport::str("{}"), &error), SP_E_DENIED);
  EXPECT_STREQ(error.message, "not today");
}

TEST_F(SugarTest, ServiceStartsAndReportsATroubledStop) {
  auto* const raw = static_cast<sp_service*>(new Beacon);
  sp_error error = fresh();
  EXPECT_EQ(raw->ops->start(raw, &error), SP_OK);
  EXPECT_EQ(raw->ops->reload, nullptr);
  EXPECT_EQ(raw->ops->stop(raw, &kOp, &error), SP_E_INTERNAL);
  EXPECT_STREQ(error.message, "stuck");
  raw->ops->destroy(raw);
}

TEST_F(SugarTest, AuthenticatorAsksAndDecides) {
  auto* const door = static_cast<sp_authenticator*>(new Door);
  EXPECT_EQ(door->ops->methods, SP_AUTH_KEYBOARD);
  const sp_auth_sink sink{nullptr, &remember};
  sp_error error = fresh();
  sp_auth_request request{};
  request.struct_size = sizeof request;
  request.method = SP_AUTH_PASSWORD;
  sp_conversation* talk = nullptr;
  EXPECT_EQ(door->ops->begin(door, &kOp, &request, &sink, &talk, &error), SP_OK);
  EXPECT_EQ(talk, nullptr);
  request.method = SP_AUTH_KEYBOARD;
  ASSERT_EQ(door->ops->begin(door, &kOp, &request, &sink, &talk, &error), SP_OK);
  ASSERT_NE(talk, nullptr);
  const sp_str answer = sallyport::str("42");
  EXPECT_EQ(talk->ops->step(talk, &kOp, &answer, 1, &sink, &error), SP_OK);
  EXPECT_EQ(talk->ops->step(talk, &kOp, nullptr, 0, &sink, &error), SP_OK);
  talk->ops->end(talk);
  door->ops->destroy(door);
  EXPECT_EQ(seen, (std::vector<std::string>{"0 ", "3 {\"questions\":[\"?\"]}", "1 {\"username\":\"ann\"}", "2 "}));
}

}  // namespace
