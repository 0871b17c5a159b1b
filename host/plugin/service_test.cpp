// SPDX-License-Identifier: Apache-2.0
//
// Services over a plugin that is linked in, and the tables through which they ask: calls arrive in the promised order,
// failures have texts, nothing that an implementation throws gets across.
#include "host/plugin/service.h"

#include <gtest/gtest.h>
#include <sallyport/ext/host_ext.h>
#include <sallyport/cpp/service.hpp>

#include <stdexcept>
#include <string>

#include "host/plugin/host_tables.h"
#include "host/plugin/registry.h"

namespace host::plugin {
namespace {

std::string calls;
bool refuses_to_start = false;
const sp_host* seen_host = nullptr;

class FakeService : public sallyport::Service<FakeService> {
 public:
  static constexpr const char* kType = "fake-service";
  static constexpr const char* kSummary = "for tests";
  static constexpr const char* kConfigSchema =
      R"({"type": "object", "properties": {"port": {"type": "integer", "default": 7, "minimum": 1}}})";
  static sallyport::Outcome<std::unique_ptr<FakeService>> create(const sp_host& host, std::string_view config) {
    seen_host = &host;
    calls = "create " + std::string(config) + "; ";
    return std::make_unique<FakeService>();
  }
  ~FakeService() { calls += "destroy"; }
  sallyport::Outcome<void> start() {
    calls += "start; ";
    if (refuses_to_start) return sallyport::Failure{SP_E_BUSY, "the port is taken", 0};
    return {};
  }
  sallyport::Outcome<void> reload(std::string_view config) {
    calls += "reload " + std::string(config) + "; ";
    throw std::runtime_error("no certificate");
  }
  sallyport::Outcome<void> stop(const sp_op& op) {
    calls += op.deadline_ns > 0 ? "stop; " : "stop without deadline; ";
    return {};
  }
};

constexpr sp_plugin kServicePlugin =
    sallyport::make_plugin<&sallyport::kServiceFactory<FakeService>>("test.fake", "fake-service", "1", "test");

struct ServiceTest : ::testing::Test {
  void SetUp() override {
    refuses_to_start = false;
    ASSERT_TRUE(registry.adopt(&kServicePlugin));
  }
  RegistryOptions options() {
    RegistryOptions made;
    made.host_extensions = tables.extensions();
    return made;
  }
  HostTables tables;
  Registry registry{options()};
};

TEST_F(ServiceTest, LivesInOrder) {
  {
    auto service = registry.make_service("fake-service", "{}", "httpd");
    ASSERT_TRUE(service);
    EXPECT_TRUE((*service)->reload("{}"));  // does not run: nothing to tell it
    ASSERT_TRUE((*service)->start());
    const auto reloaded = (*service)->reload("{}");
    ASSERT_FALSE(reloaded);
    EXPECT_EQ(reloaded.error().message(), "no certificate");
    EXPECT_TRUE((*service)->stop(std::chrono::seconds(1)));
    EXPECT_TRUE((*service)->reload("{}"));
  }
  EXPECT_EQ(calls, "create {\"port\":7}; start; reload {}; stop; destroy");
}

TEST_F(ServiceTest, OneThatIsForgottenIsStopped) {
  {
    auto service = registry.make_service("fake-service", "{}", "httpd");
    ASSERT_TRUE((*service)->start());
  }
  EXPECT_TRUE(calls.ends_with("start; stop; destroy")) << calls;
}

TEST_F(ServiceTest, FailedStartsAndSettingsSayWhy) {
  const auto wrong = registry.make_service("fake-service", R"({"port": 0})", "httpd");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message().find("httpd"), std::string::npos) << wrong.error().message();
  refuses_to_start = true;
  {
    auto service = registry.make_service("fake-service", "{}", "httpd");
    const auto started = (*service)->start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().message(), "fake-service cannot start: the port is taken");
  }
  EXPECT_TRUE(calls.ends_with("start; destroy")) << calls;
}

// What is behind the tables here: says what it was asked, or throws.
struct Users : HostUsers {
  core::Result<std::string> list(std::string_view query) override { return "list " + std::string(query); }
  core::Result<std::string> get(std::int64_t) override { throw std::runtime_error("broken"); }
  core::Result<std::string> add(std::string_view) override {
    return core::Error(core::Status::kInvalid, "Validation error: " + std::string(1000, 'x'));
  }
  core::Result<void> update(std::int64_t, std::string_view) override { throw 1; }
  core::Result<void> remove(std::int64_t) override { return core::ok(); }
};

sp_status SP_CALL append(void* text, sp_bytes part) noexcept {
  static_cast<std::string*>(text)->append(static_cast<const char*>(part.ptr), part.len);
  return SP_OK;
}

TEST_F(ServiceTest, TablesLeadToWhatIsConnected) {
  ASSERT_TRUE(registry.make_service("fake-service", "{}", "httpd"));
  const auto* table = static_cast<const sp_host_users*>(seen_host->extension(seen_host, SP_EXT_HOST_USERS));
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(seen_host->extension(seen_host, "host.users/2"), nullptr);
  std::string text;
  const sp_sink sink{&text, append};
  sp_error error{};
  error.struct_size = sizeof error;
  EXPECT_EQ(table->remove(table->ctx, 1, &error), SP_E_BUSY);
  Users users;
  tables.connect({.users = &users});
  EXPECT_EQ(table->list(table->ctx, sallyport::str("{}"), &sink, &error), SP_OK);
  EXPECT_EQ(text, "list {}");
  EXPECT_EQ(table->get(table->ctx, 1, &sink, &error), SP_E_INTERNAL);
  EXPECT_STREQ(error.message, "broken");
  EXPECT_EQ(table->update(table->ctx, 1, sallyport::str("{}"), &error), SP_E_INTERNAL);
  EXPECT_EQ(table->add(table->ctx, sallyport::str("{}"), &sink, &error), SP_E_INVALID);
  EXPECT_EQ(std::string(error.message).size(), sizeof error.message - 1);
}

}  // namespace
}  // namespace host::plugin
