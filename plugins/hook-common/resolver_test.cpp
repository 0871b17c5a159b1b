// SPDX-License-Identifier: Apache-2.0
#include "hook-common/resolver.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace hook_common {
namespace {

using namespace std::chrono_literals;
using sallyport::Failure;
using sallyport::Outcome;
using Addresses = Resolver::Addresses;

bool stays() { return false; }
auto in(std::chrono::milliseconds time) { return Watchdog::Clock::now() + time; }

// A name server that answers when it is told to.
struct Slow {
  std::promise<void> answers;
  std::shared_future<void> answered = answers.get_future().share();
  std::atomic<int> asked = 0;

  Resolver::LookUp look_up() {
    return [this, wait = answered](const std::string&) -> Outcome<Addresses> {
      ++asked;
      wait.wait();
      return Addresses{"192.0.2.1"};
    };
  }
};

TEST(Resolver, AddressesAndNamesOfTheSystem) {
  Resolver resolver;
  auto four = resolver.find("127.0.0.1", in(20s), stays);
  ASSERT_TRUE(four) << four.failure().message;
  EXPECT_EQ(*four, Addresses{"127.0.0.1"});
  auto six = resolver.find("::1", in(20s), stays);
  ASSERT_TRUE(six) << six.failure().message;
  EXPECT_EQ(*six, Addresses{"::1"});
  auto name = resolver.find("localhost", in(20s), stays);
  ASSERT_TRUE(name) << name.failure().message;
  EXPECT_EQ(name->front(), "127.0.0.1") << "IPv4 first";
}

TEST(Resolver, FailuresNameTheHost) {
  Resolver resolver([](const std::string&) -> Outcome<Addresses> { return Failure{SP_E_IO, "no such name", 0}; });
  auto none = resolver.find("nowhere", in(20s), stays);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.failure().message, "nowhere: no such name");
}

TEST(Resolver, NobodyWaitsLongerThanItsTime) {
  auto slow = std::make_shared<Slow>();  // the thread may outlive the test
  Resolver resolver(slow->look_up());
  auto late = resolver.find("h", in(20ms), stays);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.failure().status, SP_E_TIMED_OUT);
  auto left = resolver.find("h", in(60s), [] { return true; });
  ASSERT_FALSE(left);
  EXPECT_EQ(left.failure().status, SP_E_CANCELLED);
  auto waits = std::async(std::launch::async, [&] { return resolver.find("h", in(60s), stays); });
  slow->answers.set_value();
  auto found = waits.get();
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, Addresses{"192.0.2.1"});
}

TEST(Resolver, OneLookUpForAllWhoWait) {
  Slow slow;
  Resolver resolver(slow.look_up());
  std::vector<std::future<bool>> all;
  for (int i = 0; i < 8; ++i)
    all.push_back(
        std::async(std::launch::async, [&] { return static_cast<bool>(resolver.find("h", in(60s), stays)); }));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(resolver.find("h", in(5ms), stays));
  EXPECT_EQ(slow.asked, 1);
  slow.answers.set_value();
  for (auto& each : all) EXPECT_TRUE(each.get());
}

}  // namespace
}  // namespace hook_common
