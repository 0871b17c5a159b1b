// SPDX-License-Identifier: Apache-2.0
#include "host/auth/hashing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <thread>
#include <vector>

#include "host/auth/auth_limits.h"

namespace host::auth {
namespace {

class HashingTest : public testing::Test {
 protected:
  // As many as there are workers wait here until let_go().
  void hold_workers() {
    const std::size_t cores = std::max(std::thread::hardware_concurrency(), 2u);
    for (std::size_t i = 0; i < std::min(cores - 1, kMaxHashThreads); ++i) {
      auto held = std::make_shared<std::promise<void>>();
      auto holds = held->get_future();
      ASSERT_TRUE(hashing_.submit("198.51.100.1", "holder", [held, this] {
        held->set_value();
        gate_.wait();
      }));
      holds.wait();
    }
  }
  void let_go() { open_.set_value(); }
  void submit(const std::string& address, const std::string& what, const std::string& name = "ann") {
    ASSERT_TRUE(hashing_.submit(address, name, [this, what] {
      const std::lock_guard lock(mutex_);
      ran_.push_back(what);
    }));
  }

  std::promise<void> open_;
  std::shared_future<void> gate_ = open_.get_future().share();
  std::mutex mutex_;
  std::vector<std::string> ran_;
  Hashing hashing_;  // the last: its workers use the others
};

std::size_t place(const std::vector<std::string>& all, const std::string& one) {
  return static_cast<std::size_t>(std::find(all.begin(), all.end(), one) - all.begin());
}

TEST_F(HashingTest, NobodyWaitsForAllThatOneAddressGuesses) {
  hold_workers();
  for (int i = 0; i < 200; ++i) submit("192.0.2.1", "guess " + std::to_string(i));
  submit("192.0.2.2", "honest");
  let_go();
  hashing_.stop();
  ASSERT_EQ(ran_.size(), 201u);
  EXPECT_LE(place(ran_, "honest"), 2 * std::max(std::thread::hardware_concurrency(), 2u));
}

TEST_F(HashingTest, NorForAllGuessesAtOneNameThere) {
  hold_workers();
  for (int i = 0; i < 200; ++i) submit("192.0.2.1", "guess " + std::to_string(i));
  submit("192.0.2.1", "neighbour", "bob");
  let_go();
  hashing_.stop();
  EXPECT_LE(place(ran_, "neighbour"), 2 * std::max(std::thread::hardware_concurrency(), 2u));
}

TEST_F(HashingTest, ANetworkOfOneCustomerIsOneClient) {
  hold_workers();
  for (int i = 1; i < 100; ++i) submit("2001:db8::" + std::to_string(i), "guess");
  submit("2001:db8:0:1::1", "honest");
  let_go();
  hashing_.stop();
  EXPECT_LE(place(ran_, "honest"), 2 * std::max(std::thread::hardware_concurrency(), 2u));
}

TEST_F(HashingTest, TooManyAreRefused) {
  hold_workers();
  std::size_t taken = 0;
  while (taken < 100'000 && hashing_.submit("192.0.2.1", "ann", [] {})) ++taken;
  EXPECT_LT(taken, 100'000u);
  let_go();
}

}  // namespace
}  // namespace host::auth
