// SPDX-License-Identifier: Apache-2.0
#include "host/vfs/quota.h"

#include <gtest/gtest.h>

#include <future>

#include "host/plugin/host_services.h"
#include "host/vfs/session_quota.h"

namespace host::vfs {
namespace {

using core::Status;
using core::VirtualPath;

constexpr auto kPatience = std::chrono::seconds(20);  // far beyond what anything takes

class QuotaTest : public ::testing::Test {
 protected:
  UsageStore store() {
    return {.read = [this](std::string_view) -> core::Result<Usage> {
              const std::lock_guard lock(mutex_);
              ++reads_;
              return stored_;
            },
            .add = [this](std::string_view, const Usage& change) -> core::Result<void> {
              const std::lock_guard lock(mutex_);
              ++adds_;
              if (fails_ != Status::kOk) return core::Error(fails_, "no");
              stored_ = {stored_.size + change.size, stored_.files + change.files};
              return core::ok();
            }};
  }
  static users::User user(std::int64_t size, std::int64_t files) {
    users::User user;
    user.username = "ada";
    user.quota_size = size;
    user.quota_files = files;
    return user;
  }
  Usage stored() {
    const std::lock_guard lock(mutex_);
    return stored_;
  }

  std::mutex mutex_;
  Usage stored_;
  int reads_ = 0, adds_ = 0;
  Status fails_ = Status::kOk;
};

Status status_of(const core::Result<void>& result) { return result ? Status::kOk : result.error().status; }

TEST_F(QuotaTest, WhoIsCounted) {
  Quotas nobody(store(), Quotas::Track::kNobody);
  EXPECT_EQ(nobody.of(user(1, 1)), nullptr);
  Quotas limited(store(), Quotas::Track::kLimited);
  EXPECT_EQ(limited.of(user(0, 0)), nullptr);
  EXPECT_NE(limited.of(user(0, 1)), nullptr);
  Quotas everybody(store(), Quotas::Track::kEverybody);
  EXPECT_NE(everybody.of(user(0, 0)), nullptr);
}

TEST_F(QuotaTest, SessionsOfAUserShareOneAccount) {
  Quotas quotas(store(), Quotas::Track::kEverybody);
  const auto first = quotas.of(user(100, 0));
  EXPECT_EQ(first, quotas.of(user(50, 0)));
  EXPECT_NE(first, quotas.of("bob", {}));
}

TEST_F(QuotaTest, ARecordReadBeforeTheLastSessionEndedIsNotTrusted) {
  const QuotaLimits limits{.size = 100, .files = 1};
  const auto record = user(100, 1);  // the login that comes has read it now
  {
    Quotas quotas(store(), Quotas::Track::kLimited);
    const auto first = quotas.of(record);
    EXPECT_TRUE(first->take(limits, 100));
    EXPECT_TRUE(first->take_file(limits));
  }
  for (int call = 0; call < 4; ++call) {
    Quotas quotas(store(), Quotas::Track::kLimited);
    const auto second = quotas.of(record);
    const core::Result<void> room = call == 0   ? second->may_begin(limits, true)
                                    : call == 1 ? second->take(limits, 1)
                                    : call == 2 ? second->take_file(limits)
                                                : second->reserve(limits, 1);
    EXPECT_EQ(status_of(room), Status::kQuota) << call;
  }
  auto full = record;
  full.used_quota_size = 100;
  full.used_quota_files = 1;
  {
    Quotas quotas(store(), Quotas::Track::kLimited);
    quotas.of(full)->count({-100, -1});
  }
  Quotas quotas(store(), Quotas::Track::kLimited);
  EXPECT_TRUE(quotas.of(full)->may_begin(limits, true)) << "what was full is empty";
}

TEST_F(QuotaTest, NobodyWaitsLongForNumbersThatAnotherSessionHasAskedFor) {
  std::promise<void> asked, answer;
  const UsageStore silent{.read = [&](std::string_view) -> core::Result<Usage> {
                            asked.set_value();
                            answer.get_future().wait();
                            return Usage{};
                          },
                          .add = store().add};
  Quotas quotas(silent, Quotas::Track::kLimited);
  const auto usage = quotas.of("ada", {40, 0});
  auto first = std::async(std::launch::async, [&] { return status_of(usage->may_begin({.size = 100}, true)); });
  asked.get_future().wait();
  plugin::mark_cancelled(4711);
  auto gone = std::async(std::launch::async, [&] { return status_of(usage->reserve({100, 0, 4711}, 1)); });
  EXPECT_EQ(gone.wait_for(kPatience), std::future_status::ready);
  auto others = std::async(std::launch::async, [&] {
    EXPECT_EQ(status_of(usage->reserve({.size = 100}, 61)), Status::kQuota) << "the record holds";
    EXPECT_EQ(status_of(usage->reserve({.size = 100}, 60)), Status::kOk);
  });
  EXPECT_EQ(others.wait_for(kPatience), std::future_status::ready);
  answer.set_value();
  EXPECT_EQ(gone.get(), Status::kCancelled);
  plugin::forget_cancelled(4711);
  EXPECT_EQ(first.get(), Status::kOk);
  EXPECT_TRUE(usage->reserve({.size = 100}, 40)) << "once there is an answer, it counts";
}

TEST_F(QuotaTest, TheRecordHoldsWhereTheStoreDoesNotAnswer) {
  Quotas quotas({.read = [](std::string_view) { return core::Result<Usage>(Status::kIo); }, .add = store().add},
                Quotas::Track::kLimited);
  EXPECT_TRUE(quotas.of("ada", {99, 0})->may_begin({.size = 100}, true));
  EXPECT_EQ(status_of(quotas.of("ada", {100, 0})->may_begin({.size = 100}, true)), Status::kQuota);
}

TEST_F(QuotaTest, BytesUpToTheLimitAndNotOneMore) {
  Quotas quotas(store(), Quotas::Track::kLimited);
  const auto usage = quotas.of(user(100, 0));
  const QuotaLimits limits{.size = 100};
  EXPECT_TRUE(usage->take(limits, 60));
  EXPECT_TRUE(usage->reserve(limits, 40));
  EXPECT_EQ(status_of(usage->take(limits, 1)), Status::kQuota);
  EXPECT_EQ(status_of(usage->reserve(limits, 1)), Status::kQuota);
  EXPECT_EQ(status_of(usage->may_begin(limits, false)), Status::kQuota);
  EXPECT_EQ(usage->used(), (Usage{60, 0}));
  usage->release(40);
  EXPECT_TRUE(usage->may_begin(limits, true));
  EXPECT_TRUE(usage->take(limits, 40));
  EXPECT_TRUE(usage->take({}, 1000)) << "another session may have no limit";
}

TEST_F(QuotaTest, FilesUpToTheLimitWhileOldOnesMayBeOverwritten) {
  Quotas quotas(store(), Quotas::Track::kLimited);
  const auto usage = quotas.of(user(0, 2));
  const QuotaLimits limits{.files = 2};
  usage->count({0, 1});
  EXPECT_TRUE(usage->may_begin(limits, true));
  usage->count({0, 1});
  EXPECT_EQ(status_of(usage->may_begin(limits, true)), Status::kQuota);
  EXPECT_TRUE(usage->may_begin(limits, false));
}

TEST_F(QuotaTest, ManyChangesAreFewWrites) {
  {
    Quotas quotas(store(), Quotas::Track::kEverybody);
    const auto usage = quotas.of(user(0, 0));
    for (int i = 0; i < 1000; ++i) usage->count({10, 1});
    usage->count({-5, -1});
  }
  EXPECT_EQ(stored(), (Usage{9995, 999}));
  EXPECT_LE(adds_, 20);
}

TEST_F(QuotaTest, WhatCancelsOutIsNotWritten) {
  {
    Quotas quotas(store(), Quotas::Track::kEverybody);
    const auto usage = quotas.of(user(0, 0));
    usage->count({10, 1});
    usage->count({-10, -1});
  }
  EXPECT_EQ(adds_, 0);
}

TEST_F(QuotaTest, AFailingStoreGetsTheSameChangeLater) {
  fails_ = Status::kIo;
  Quotas quotas(store(), Quotas::Track::kEverybody);
  const auto usage = quotas.of(user(0, 0));
  usage->count({10, 1});
  EXPECT_FALSE(usage->flush());
  EXPECT_EQ(usage->used(), (Usage{10, 1}));
  {
    const std::lock_guard lock(mutex_);
    fails_ = Status::kOk;
  }
  usage->count({5, 0});
  EXPECT_TRUE(usage->flush());
  EXPECT_EQ(stored(), (Usage{15, 1}));
}

TEST_F(QuotaTest, CountersThatNobodyMayWriteAreLeftAlone) {
  for (const auto answer : {Status::kDenied, Status::kNotFound}) {
    fails_ = answer;
    Quotas quotas(store(), Quotas::Track::kEverybody);
    const auto usage = quotas.of(user(0, 0));
    usage->count({10, 1});
    EXPECT_TRUE(usage->flush());
  }
  EXPECT_EQ(stored(), Usage{});
}

TEST_F(QuotaTest, AScanReplacesTheCounters) {
  Quotas quotas(store(), Quotas::Track::kEverybody);
  const auto usage = quotas.of(user(0, 0));
  usage->count({10, 1});
  EXPECT_TRUE(usage->set({777, 7}));
  EXPECT_EQ(stored(), (Usage{777, 7}));
  EXPECT_EQ(usage->used(), (Usage{777, 7}));
}

TEST_F(QuotaTest, ANameThatIsHeldHoldsUpNoOther) {
  Quotas quotas(store(), Quotas::Track::kEverybody);
  const auto usage = quotas.of(user(0, 0));
  const auto path = [](const std::string& text) { return VirtualPath::clean(text); };
  auto held = std::make_optional(usage->hold({}, {path("/slow")}));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(usage->hold({}, {path("/other" + std::to_string(i)), path("/another")}));
  auto second = std::async(std::launch::async, [&] {
    return usage->hold({}, {path("/other"), path("/slow")}).has_value();
  });
  EXPECT_EQ(second.wait_for(std::chrono::milliseconds(1)), std::future_status::timeout);
  held.reset();
  EXPECT_TRUE(second.get());
}

TEST_F(QuotaTest, NobodyWaitsForANameWithoutEnd) {
  Quotas quotas(store(), Quotas::Track::kEverybody);
  const auto usage = quotas.of(user(0, 0));
  const auto name = VirtualPath::clean("/slow");
  const auto held = usage->hold({}, {name});
  const auto late = usage->hold({.deadline_ns = 1}, {name});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().status, core::Status::kTimedOut);
  plugin::mark_cancelled(4711);
  EXPECT_FALSE(usage->hold({.session_id = 4711}, {name}));
  plugin::forget_cancelled(4711);
}

TEST_F(QuotaTest, ManyThreadsNeverPassTheLimit) {
  Quotas quotas(store(), Quotas::Track::kLimited);
  const auto usage = quotas.of(user(1000, 0));
  std::vector<std::future<int>> threads;
  for (int i = 0; i < 8; ++i) {
    threads.push_back(std::async(std::launch::async, [&] {
      int taken = 0;
      for (int n = 0; n < 1000; ++n) taken += usage->take({.size = 1000}, 1) ? 1 : 0;
      return taken;
    }));
  }
  int sum = 0;
  for (auto& thread : threads) sum += thread.get();
  EXPECT_EQ(sum, 1000);
  EXPECT_EQ(usage->used().size, 1000);
}

class CountedFilesTest : public QuotaTest {
 protected:
  static VirtualPath path(std::string_view text) { return VirtualPath::clean(text); }
  std::unique_ptr<InPlace> open(std::string_view name, std::int64_t size) {
    return std::make_unique<InPlace>(SessionQuota{usage_, {.size = 1000}}, path(name), [size] { return size; });
  }
  static void close(const std::unique_ptr<InPlace>& file, std::int64_t size) {
    file->settle([size]() -> std::optional<std::int64_t> { return size; });
  }

  Quotas quotas_{store(), Quotas::Track::kEverybody};
  std::shared_ptr<UserUsage> usage_ = quotas_.of("ada", {});
};

TEST_F(CountedFilesTest, GrowthIsCountedOnceByAllWriters) {
  const auto one = open("/f", 0), two = open("/f", 99);
  EXPECT_TRUE(one->make_room(100));
  EXPECT_TRUE(two->make_room(80));
  EXPECT_TRUE(two->make_room_behind(20));
  EXPECT_EQ(usage_->used().size, 120);
  close(one, 5555);  // not the last: what it says now may change
  EXPECT_EQ(usage_->used().size, 120);
  close(two, 90);
  EXPECT_EQ(usage_->used().size, 90);
}

TEST_F(CountedFilesTest, AFileWithoutItsNameIsCountedNoMore) {
  const auto writer = open("/f", 0);
  EXPECT_TRUE(writer->make_room(100));
  const auto remover = open("/f", 77);
  usage_->count({-remover->replaced(), 0});
  EXPECT_EQ(usage_->used().size, 0);
  EXPECT_TRUE(writer->make_room(5000)) << "it takes no room any more";
  const auto next = open("/f", 0);
  EXPECT_TRUE(next->make_room(10));
  close(writer, 5000);
  close(next, 10);
  EXPECT_EQ(usage_->used().size, 10);
}

TEST_F(CountedFilesTest, OpenFilesGoWithTheirDirectory) {
  const auto inside = open("/d/x/f", 0), beside = open("/d.txt", 0), other = open("/dx/f", 0);
  usage_->open_files().moved(path("/d"), path("/e/d"));
  const auto again = open("/e/d/x/f", 1);
  EXPECT_TRUE(inside->make_room(100));
  EXPECT_TRUE(again->make_room(100));
  EXPECT_EQ(usage_->used().size, 100);
  const auto same = open("/d.txt", 1), same_too = open("/dx/f", 1);
  EXPECT_TRUE(beside->make_room(10));
  EXPECT_TRUE(same->make_room(10));
  EXPECT_TRUE(other->make_room(10));
  EXPECT_TRUE(same_too->make_room(10));
  EXPECT_EQ(usage_->used().size, 120);
}

}  // namespace
}  // namespace host::vfs
