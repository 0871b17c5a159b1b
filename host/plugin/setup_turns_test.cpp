// SPDX-License-Identifier: Apache-2.0
//
// A plugin whose set-up does not come to its end holds up those who want that plugin, and nobody else.
#include "host/plugin/setup_turns.h"

#include <gtest/gtest.h>
#include <sallyport/plugin.h>
#include <sallyport/storage.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "host/plugin/registry.h"

namespace host::plugin {
namespace {

using namespace std::chrono_literals;
using core::Status;

constexpr auto kSoon = 20s;  // far beyond what it takes

// Storages that can be made and no more; that of "stuck" waits for the gate.
struct SetupGate {
  std::promise<void> opens;
  std::shared_future<void> open = opens.get_future().share();
  std::promise<void> entered;
  std::atomic<int> created = 0;
};
std::unique_ptr<SetupGate> setup_gate;

void SP_CALL destroy_idle(sp_storage*) noexcept {}
sp_status SP_CALL mount_nothing(sp_storage*, const sp_op*, const sp_mount_args*, sp_fs**, sp_error*) noexcept {
  return SP_E_UNSUPPORTED;
}
const sp_storage_ops kIdleOps{sizeof(sp_storage_ops), 0, destroy_idle, mount_nothing, nullptr};
sp_storage idle_storage{&kIdleOps};

sp_status SP_CALL create_idle(const sp_host*, sp_str, void** out, sp_error*) noexcept {
  *out = &idle_storage;
  return SP_OK;
}
sp_status SP_CALL create_stuck(const sp_host* host, sp_str settings, void** out, sp_error* error) noexcept {
  if (++setup_gate->created == 1) setup_gate->entered.set_value();
  setup_gate->open.wait();
  return create_idle(host, settings, out, error);
}

const sp_factory kQuick{sizeof(sp_factory), SP_KIND_STORAGE, SP_STORAGE_ABI, 0, "quick", "", nullptr, nullptr,
                        create_idle};
const sp_factory kStuck{sizeof(sp_factory), SP_KIND_STORAGE, SP_STORAGE_ABI, 0, "stuck", "", nullptr, nullptr,
                        create_stuck};
const sp_factory* const kQuickOnly[] = {&kQuick, nullptr};
const sp_factory* const kStuckOnly[] = {&kStuck, nullptr};
const sp_plugin kQuickPlugin{sizeof(sp_plugin), SP_ABI,  0,       0,      "test.quick", "quick", "1", "",
                             kQuickOnly,        nullptr, nullptr, nullptr};
const sp_plugin kStuckPlugin{sizeof(sp_plugin), SP_ABI,  0,       0,      "test.stuck", "stuck", "1", "",
                             kStuckOnly,        nullptr, nullptr, nullptr};

class SetupTurnsTest : public testing::Test {
 protected:
  using Made = core::Result<std::shared_ptr<Storage>>;

  SetupTurnsTest() : registry_(RegistryOptions{}) {
    setup_gate = std::make_unique<SetupGate>();
    EXPECT_TRUE(registry_.adopt(&kQuickPlugin));
    EXPECT_TRUE(registry_.adopt(&kStuckPlugin));
  }
  // Also when an expectation ends a test before it does: futures and pools wait for their threads.
  class Opener {
   public:
    Opener() = default;
    ~Opener() { open(); }
    Opener(const Opener&) = delete;
    Opener& operator=(const Opener&) = delete;
    void open() {
      if (!std::exchange(opened_, true)) setup_gate->opens.set_value();
    }

   private:
    bool opened_ = false;
  };
  std::future<Made> wanted(const char* name) {
    return std::async(std::launch::async, [this, name] { return registry_.storage(name); });
  }

  Registry registry_;
};

TEST_F(SetupTurnsTest, AStorageThatIsStillMadeHoldsUpNoOther) {
  auto first = wanted("stuck");
  std::future<Made> quick;
  Opener opener;
  ASSERT_EQ(setup_gate->entered.get_future().wait_for(kSoon), std::future_status::ready);
  quick = wanted("quick");
  ASSERT_EQ(quick.wait_for(kSoon), std::future_status::ready) << "it waits for a plugin that it has nothing to do with";
  EXPECT_TRUE(quick.get());
  EXPECT_EQ(registry_.storages().size(), 1U) << "metrics";
  EXPECT_EQ(registry_.loaded().size(), 2U);
  EXPECT_TRUE(registry_.check_user_settings("stuck", "{}")) << "its accounts can be changed";
}

TEST_F(SetupTurnsTest, WhoeverWantsTheSameStorageWaitsForIt) {
  auto first = wanted("stuck");
  auto second = wanted("stuck");
  Opener opener;
  ASSERT_EQ(setup_gate->entered.get_future().wait_for(kSoon), std::future_status::ready);
  EXPECT_EQ(first.wait_for(0s), std::future_status::timeout);
  EXPECT_EQ(second.wait_for(0s), std::future_status::timeout);
  opener.open();
  const auto made = first.get(), same = second.get();
  ASSERT_TRUE(made && same);
  EXPECT_EQ(*made, *same);
  EXPECT_EQ(setup_gate->created, 1);
}

// As the login pool has but so many workers, and any number of them may want the storage.
TEST_F(SetupTurnsTest, AWorkerThatWaitsDoesNotTakeItsPoolsPlace) {
  std::promise<void> ran;
  core::WorkerPool pool("one", 1, 16);
  Opener opener;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.submit([this] { EXPECT_TRUE(registry_.storage("stuck")); }));
  ASSERT_TRUE(pool.submit([&] { ran.set_value(); }));
  EXPECT_EQ(ran.get_future().wait_for(kSoon), std::future_status::ready);
}

// A set-up that fails after a long time would be tried once more for each of those who have long left.
TEST_F(SetupTurnsTest, WhoeverHasLeftGivesUp) {
  constexpr std::uint64_t kLeaves = 7, kStays = 8;
  auto first = wanted("stuck");
  std::future<Made> left, stays;
  Opener opener;
  ASSERT_EQ(setup_gate->entered.get_future().wait_for(kSoon), std::future_status::ready);
  left = std::async(std::launch::async, [this] { return registry_.storage("stuck", kLeaves); });
  stays = std::async(std::launch::async, [this] { return registry_.storage("stuck", kStays); });
  EXPECT_EQ(left.wait_for(0s), std::future_status::timeout);
  const SessionGone gone(kLeaves);
  ASSERT_EQ(left.wait_for(kSoon), std::future_status::ready);
  const auto nothing = left.get();
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().status, Status::kCancelled);
  EXPECT_EQ(stays.wait_for(0s), std::future_status::timeout);
  opener.open();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(stays.get());
  EXPECT_TRUE(registry_.storage("stuck", kLeaves)) << "what is there needs no turn";
}

TEST(SetupTurns, WhoeverHasLeftTakesNoTurn) {
  constexpr std::uint64_t kLeft = 7;
  SetupTurns turns;
  const SessionGone gone(kLeft);
  const auto turn = turns.take("a", kLeft);
  ASSERT_FALSE(turn);
  EXPECT_EQ(turn.error().status, Status::kCancelled);
  EXPECT_EQ(turns.callers("a"), 0U);
  EXPECT_TRUE(turns.take("a", kNobodysSession));
}

TEST(SetupTurns, TooManyAreTurnedAwayAndOnlyFromThatPlugin) {
  SetupTurns turns(2);
  auto held = turns.take("a", kNobodysSession);
  ASSERT_TRUE(held);
  std::promise<void> has_it;
  std::thread waiting([&] {
    const auto turn = turns.take("a", kNobodysSession);
    EXPECT_TRUE(turn);
    has_it.set_value();
  });
  // Until the thread waits, a second turn would be for the asking, and would not be given.
  const auto until = std::chrono::steady_clock::now() + kSoon;
  while (turns.callers("a") < 2 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  const auto third = turns.take("a", kNobodysSession);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().status, Status::kBusy);
  EXPECT_NE(third.error().text.find("plugin a"), std::string::npos) << third.error().text;
  EXPECT_TRUE(turns.take("b", kNobodysSession));
  EXPECT_EQ(turns.callers("b"), 0U) << "nothing is kept of names nobody waits for";
  held->reset();
  EXPECT_EQ(has_it.get_future().wait_for(kSoon), std::future_status::ready);
  waiting.join();
  EXPECT_TRUE(turns.take("a", kNobodysSession));
}

}  // namespace
}  // namespace host::plugin
