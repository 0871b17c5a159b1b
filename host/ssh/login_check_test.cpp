// SPDX-License-Identifier: Apache-2.0
//
// A login between its session and its workers: who holds which place for how long, and what is said of whom. The test's
// thread stands for the session's; the storage mounts when the test lets it.
#include "host/ssh/login_check.h"

#include <gtest/gtest.h>
#include <sallyport/plugin.h>
#include <sallyport/storage.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/core/metrics.h"
#include "host/plugin/session_gone.h"

namespace host::ssh {
namespace {

using namespace std::chrono_literals;
using core::metrics::Counter;

constexpr auto kPatience = 20s;  // far beyond what anything takes
constexpr std::uint64_t kNumber = 4711;
constexpr const char* kIp = "192.0.2.7";

// What the storage does.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = true;
  sp_status answer = SP_OK;
  int entered = 0;
};
std::unique_ptr<Gate> gate;

void SP_CALL ignore_fs(sp_fs*) noexcept {}
void SP_CALL no_caps(sp_fs*, sp_fs_caps*) noexcept {}
sp_status SP_CALL no_stat(sp_fs*, const sp_op*, sp_str, std::uint32_t, sp_attrs*, sp_error*) noexcept {
  return SP_E_UNSUPPORTED;
}
sp_status SP_CALL no_open(sp_fs*, const sp_op*, sp_str, const sp_open_args*, sp_file**, sp_error*) noexcept {
  return SP_E_UNSUPPORTED;
}
sp_status SP_CALL no_open_dir(sp_fs*, const sp_op*, sp_str, sp_dir**, sp_error*) noexcept { return SP_E_UNSUPPORTED; }
sp_fs_ops fs_ops() {
  sp_fs_ops ops{};
  ops.struct_size = sizeof ops;
  ops.unmount = ignore_fs;
  ops.caps = no_caps;
  ops.stat = no_stat;
  ops.open = no_open;
  ops.open_dir = no_open_dir;
  return ops;
}
const sp_fs_ops kFsOps = fs_ops();
sp_fs files{&kFsOps};

void SP_CALL ignore_storage(sp_storage*) noexcept {}
sp_status SP_CALL mount(sp_storage*, const sp_op*, const sp_mount_args*, sp_fs** out, sp_error* error) noexcept {
  std::unique_lock lock(gate->mutex);
  ++gate->entered;
  gate->changed.notify_all();
  gate->changed.wait(lock, [] { return gate->open; });
  *out = &files;
  if (gate->answer != SP_OK) std::strcpy(error->message, "the disk is on fire");
  return gate->answer;
}
const sp_storage_ops kStorageOps{sizeof(sp_storage_ops), 0, ignore_storage, mount, nullptr};
sp_storage storage{&kStorageOps};
sp_status SP_CALL create(const sp_host*, sp_str, void** out, sp_error*) noexcept {
  *out = &storage;
  return SP_OK;
}
const sp_factory kFactory{
    sizeof(sp_factory), SP_KIND_STORAGE, SP_STORAGE_ABI, 0, "gated", "", nullptr, nullptr, create};
const sp_factory* const kFactories[] = {&kFactory, nullptr};
const sp_plugin kPlugin{sizeof(sp_plugin), SP_ABI,  0,       0,      "test.gated", "gated", "1", "",
                        kFactories,        nullptr, nullptr, nullptr};

class LoginCheckTest : public testing::Test {
 protected:
  LoginCheckTest() {
    gate = std::make_unique<Gate>();
    char name[] = "/tmp/sallyport-login-XXXXXX";
    dir_ = ::mkdtemp(name);
    EXPECT_TRUE(core::log::open({.path = log_file()}));
    plugin::RegistryOptions plugins;
    plugins.directory = PLUGIN_DIRECTORY;
    registry_ = std::make_unique<plugin::Registry>(std::move(plugins));
    EXPECT_TRUE(registry_->adopt(&kPlugin));
    users::StoreOptions provider;
    provider.driver = "memory";
    provider.provider_config_json = "{}";
    store_ = std::move(users::Store::open(*registry_, provider).value());
    login_ = std::make_unique<auth::Login>(*store_);
    logins_ = std::make_unique<auth::LoginFlow>(*login_, nullptr);
    context_->services = {registry_.get(), logins_.get(), &defender_, &sessions_, nullptr, nullptr};
    group_->start();
  }
  ~LoginCheckTest() override {
    open_gate();
    answer_ = nullptr;
    for (const auto& check : checks_)
      EXPECT_TRUE(run_until([&] { return check.expired(); })) << "somebody holds a check for ever";
    verdict_ = {};
    group_->stop(Clock::now());
    group_->join();
    logins_.reset();
    login_.reset();
    store_.reset();
    registry_.reset();
    core::log::close();
    std::filesystem::remove_all(dir_);
  }

  using Verdict = LoginCheck::Verdict;

  // A login whose credentials are checked when the test says so: answer_.
  std::shared_ptr<LoginCheck> begin(const std::string& user = "ann") {
    auto place = context_->before_login.enter(kIp, 1);
    EXPECT_TRUE(place);
    vfs::Identity identity;
    identity.session_number = kNumber;
    identity.connection_id = "c0ffee";
    LoginCheck::Surroundings around{group_,
                                    context_,
                                    context_->session_options(),
                                    std::make_shared<Places::Place>(std::move(*place)),
                                    [this](std::function<void()> work) {
                                      const std::lock_guard lock(mutex_);
                                      posted_.push_back(std::move(work));
                                      came_.notify_all();
                                    },
                                    [] {}};
    auto settle = [this](Verdict& verdict) { verdict_ = verdict; };
    auto check = std::make_shared<LoginCheck>(
        std::move(around), kIp, std::move(identity),
        Verdict{.method = auth::Method::kPassword, .login_type = "password", .user = user, .probe = false}, settle);
    checks_.emplace_back(check);
    check->start([this](auth::LoginFlow&, auth::LoginFlow::Done done) { answer_ = std::move(done); });
    return check;
  }
  void answer(core::Result<auth::Grant> grant) { std::exchange(answer_, nullptr)({.grant = std::move(grant)}); }
  static auth::Grant grant_to(const std::string& name, std::int64_t max_sessions = 0) {
    auth::Grant grant{{}, "password"};
    grant.user.username = name;
    grant.user.home_dir = "/srv/" + name;
    grant.user.max_sessions = max_sessions;
    grant.user.filesystem.backend = "gated";
    return grant;
  }
  // Does what is posted to the session's thread until `done`.
  template <class Done>
  bool run_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      std::unique_lock lock(mutex_);
      came_.wait_for(lock, 1ms, [&] { return !posted_.empty(); });
      while (!posted_.empty()) {
        const auto work = std::move(posted_.front());
        posted_.pop_front();
        lock.unlock();
        work();
        lock.lock();
      }
      if (std::chrono::steady_clock::now() > end) return false;
    }
    return true;
  }
  bool settled() {
    return run_until([&] { return verdict_.has_value(); });
  }
  static void close_gate() {
    const std::lock_guard lock(gate->mutex);
    gate->open = false;
  }
  static void open_gate() {
    const std::lock_guard lock(gate->mutex);
    gate->open = true;
    gate->changed.notify_all();
  }
  static bool entered() {
    std::unique_lock lock(gate->mutex);
    return gate->changed.wait_for(lock, kPatience, [] { return gate->entered > 0; });
  }
  bool place_is_free() { return context_->before_login.enter(kIp, 1).has_value(); }
  std::string log_file() const { return dir_ / "log"; }
  // What has been said by now; nothing is said after it.
  std::string said() {
    core::log::close();
    std::ifstream in(log_file());
    return (std::ostringstream() << in.rdbuf()).str();
  }
  static std::uint64_t count(Counter counter) { return core::metrics::value(counter); }

  std::filesystem::path dir_;
  std::unique_ptr<plugin::Registry> registry_;
  std::unique_ptr<users::Store> store_;
  std::unique_ptr<auth::Login> login_;
  std::unique_ptr<auth::LoginFlow> logins_;
  auth::Defender defender_{auth::DefenderOptions()};
  admin::Sessions sessions_{100};
  const std::shared_ptr<Context> context_ = std::make_shared<Context>();
  const std::shared_ptr<IoGroup> group_ = std::make_shared<IoGroup>(0);
  std::vector<std::weak_ptr<LoginCheck>> checks_;
  auth::LoginFlow::Done answer_;
  std::optional<Verdict> verdict_;
  std::mutex mutex_;  // for the next two
  std::condition_variable came_;
  std::deque<std::function<void()>> posted_;
};

TEST_F(LoginCheckTest, ThePlaceIsGivenBackWhenTheCredentialsAreRight) {
  close_gate();
  const auto check = begin();
  EXPECT_FALSE(place_is_free());
  answer(grant_to("ann"));
  EXPECT_TRUE(place_is_free());
  ASSERT_TRUE(entered());
  EXPECT_EQ(sessions_.list().size(), 1U) << "it counts while it waits for its storage";
  EXPECT_FALSE(verdict_);
  open_gate();
  ASSERT_TRUE(settled());
  EXPECT_TRUE(verdict_->refused.empty()) << verdict_->refused;
  EXPECT_NE(verdict_->fs, nullptr);
  EXPECT_NE(verdict_->listed, nullptr);
  EXPECT_TRUE(context_->mounting.enter("ann", 1)) << "it is mounting no more";
}

TEST_F(LoginCheckTest, WhoIsRefusedKeepsItsPlaceUntilItGoes) {
  auto check = begin();
  answer(core::Error(core::Status::kDenied, "wrong password"));
  ASSERT_TRUE(settled());
  EXPECT_EQ(verdict_->refused, "wrong password");
  EXPECT_FALSE(verdict_->unusable);
  EXPECT_FALSE(place_is_free());
  check.reset();
  EXPECT_TRUE(place_is_free());
  EXPECT_NE(said().find("connection_failed"), std::string::npos);
}

// Its worker still checks: whoever hangs up at once must not get more of them than who waits.
TEST_F(LoginCheckTest, WhoLeavesDuringTheCheckKeepsItsPlaceUntilThatIsDone) {
  auto check = begin();
  check->abandon();
  check.reset();
  EXPECT_FALSE(place_is_free());
  EXPECT_TRUE(plugin::session_gone(kNumber)) << "whoever checks may stop";
  answer(core::Error(core::Status::kDenied, "wrong password"));
  EXPECT_TRUE(run_until([&] { return place_is_free(); }));
  EXPECT_FALSE(plugin::session_gone(kNumber));
  EXPECT_FALSE(verdict_);
  const auto log = said();
  EXPECT_NE(log.find("connection_failed"), std::string::npos)
      << "a guess counts, whoever waits for the answer: " << log;
}

TEST_F(LoginCheckTest, NothingIsMountedForWhoLeftDuringTheCheck) {
  auto check = begin();
  check->abandon();
  check.reset();
  answer(grant_to("ann"));
  EXPECT_TRUE(run_until([&] { return place_is_free(); }));
  EXPECT_EQ(gate->entered, 0);
  EXPECT_TRUE(sessions_.list().empty());
  EXPECT_FALSE(verdict_);
  EXPECT_TRUE(context_->mounting.enter("ann", 1));
  const auto log = said();
  EXPECT_EQ(log.find("connection_failed"), std::string::npos) << log;
}

TEST_F(LoginCheckTest, WhoLeavesDuringTheMountCountsNoMore) {
  close_gate();
  auto check = begin();
  answer(grant_to("ann", 1));
  ASSERT_TRUE(entered());
  check->abandon();
  check.reset();
  EXPECT_TRUE(sessions_.list().empty()) << "its max_sessions is for those who are there";
  EXPECT_TRUE(plugin::session_gone(kNumber)) << "the storage may stop";
  EXPECT_FALSE(context_->mounting.enter("ann", 1)) << "but the mount still takes a worker";
  open_gate();
  EXPECT_TRUE(run_until([&] { return context_->mounting.enter("ann", 1).has_value(); }));
  EXPECT_FALSE(verdict_);
  const auto log = said();
  EXPECT_EQ(log.find("connection_failed"), std::string::npos) << log;
  EXPECT_NE(log.find("the client left, or its time was over"), std::string::npos) << log;
}

TEST_F(LoginCheckTest, MountsUnderWayOfOneUserHaveAnEnd) {
  std::deque<Places::Place> hung;
  for (std::size_t i = 0; i < core::limits::kMaxMountsPerUser; ++i) {
    auto one = context_->mounting.enter("ann", core::limits::kMaxMountsPerUser);
    ASSERT_TRUE(one);
    hung.push_back(std::move(*one));
  }
  auto check = begin();
  answer(grant_to("ann"));
  ASSERT_TRUE(settled());
  EXPECT_TRUE(verdict_->unusable);
  EXPECT_EQ(gate->entered, 0);
  EXPECT_TRUE(sessions_.list().empty());
  check.reset();
  verdict_.reset();
  const auto another = begin("bob");
  answer(grant_to("bob"));
  ASSERT_TRUE(settled());
  EXPECT_NE(verdict_->fs, nullptr) << "others are not concerned";
  const auto log = said();
  EXPECT_EQ(log.find("connection_failed"), std::string::npos) << log;
  EXPECT_NE(log.find("logins wait for it already"), std::string::npos) << log;
}

// fail2ban counts connection_failed lines of passwords, monitoring the failed ones.
TEST_F(LoginCheckTest, AStorageThatFailsIsNoFailedCredential) {
  gate->answer = SP_E_IO;
  const auto failures = count(Counter::kPasswordFailures), logins = count(Counter::kPasswordLogins);
  const auto check = begin();
  answer(grant_to("ann"));
  ASSERT_TRUE(settled());
  EXPECT_TRUE(verdict_->unusable);
  EXPECT_FALSE(verdict_->refused.empty());
  EXPECT_EQ(verdict_->fs, nullptr);
  EXPECT_EQ(count(Counter::kPasswordFailures), failures);
  EXPECT_EQ(count(Counter::kPasswordLogins), logins + 1);
  const auto log = said();
  EXPECT_EQ(log.find("connection_failed"), std::string::npos) << log;
  const auto line = log.find(R"({"level":"error")");
  ASSERT_NE(line, std::string::npos) << log;
  for (const auto* part : {R"("sender":"sftpd","connection_id":"c0ffee")", "ann", kIp, "the disk is on fire"})
    EXPECT_NE(log.find(part, line), std::string::npos) << part << " is not in: " << log;
}

// Nor is a data provider that is down: all who come meanwhile would be shut out.
TEST_F(LoginCheckTest, WhatCouldNotBeCheckedIsNoFailedCredential) {
  const auto check = begin();
  auth::Reply reply{.grant = core::Error(core::Status::kIo, "the data provider failed: no route")};
  reply.unchecked = true;
  std::exchange(answer_, nullptr)(std::move(reply));
  ASSERT_TRUE(settled());
  EXPECT_FALSE(verdict_->refused.empty());
  EXPECT_FALSE(verdict_->unusable) << "another attempt may follow";
  const auto log = said();
  EXPECT_EQ(log.find("connection_failed"), std::string::npos) << log;
  const auto line = log.find(R"({"level":"error")");
  ASSERT_NE(line, std::string::npos) << log;
  for (const auto* part :
       {R"("sender":"sftpd","connection_id":"c0ffee")", "ann", kIp, "(password) may be right", "no route"})
    EXPECT_NE(log.find(part, line), std::string::npos) << part << " is not in: " << log;
}

TEST_F(LoginCheckTest, TooManySessionsAreARefusal) {
  auto first = begin();
  answer(grant_to("ann", 1));
  ASSERT_TRUE(settled());
  const auto listed = verdict_->listed;
  verdict_.reset();
  const auto failures = count(Counter::kPasswordFailures);
  const auto second = begin();
  answer(grant_to("ann", 1));
  ASSERT_TRUE(settled());
  EXPECT_NE(verdict_->refused.find("max_sessions"), std::string::npos);
  EXPECT_FALSE(verdict_->unusable) << "another attempt may follow";
  EXPECT_EQ(count(Counter::kPasswordFailures), failures + 1);
  EXPECT_FALSE(place_is_free());
}

}  // namespace
}  // namespace host::ssh
