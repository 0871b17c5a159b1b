// SPDX-License-Identifier: Apache-2.0
#include "host/ssh/io_group.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "host/core/limits.h"

namespace host::ssh {
namespace {

namespace limits = core::limits;

class IoGroupTest : public testing::Test {
 protected:
  IoGroupTest() { group->start(); }
  ~IoGroupTest() override {
    group->stop(Clock::now());
    group->join();
  }
  // Runs a function on a thread of the group and waits for it.
  static void on(IoThread& thread, const std::function<void()>& work) {
    std::promise<void> done;
    boost::asio::post(thread.io(), [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  const std::shared_ptr<IoGroup> group = std::make_shared<IoGroup>(0);
};

TEST_F(IoGroupTest, LendsSoManyThreadsAndEachToOne) {
  std::vector<IoThread*> lent;
  for (std::size_t i = 0; i < limits::kOwnThreads; ++i) lent.push_back(group->lend_own(nullptr));
  std::sort(lent.begin(), lent.end());
  EXPECT_EQ(std::unique(lent.begin(), lent.end()), lent.end());
  EXPECT_NE(lent.front(), nullptr);
  EXPECT_EQ(group->lend_own(nullptr), nullptr);
  group->give_back(*lent[1]);
  EXPECT_EQ(group->lend_own(nullptr), lent[1]);
}

TEST_F(IoGroupTest, LendsNothingAtTheStop) {
  group->enter();
  group->stop(Clock::now());
  EXPECT_EQ(group->lend_own(nullptr), nullptr);
  group->leave();
}

// Workers post for a session that changes between its threads without pause.
TEST_F(IoGroupTest, WhatIsPostedRunsWhereTheSessionLivesByThen) {
  group->enter();
  const auto residence = std::make_shared<Residence>(group);
  IoThread* const own = group->lend_own(nullptr);
  ASSERT_NE(own, nullptr);
  constexpr int kPosts = 2000;
  int ran = 0, moves = 0, arrivals = 0, misplaced = 0;  // no lock: of whatever thread the session lives on
  std::map<IoThread*, std::thread::id> ids;
  for (IoThread* const each : {&group->light(), own}) on(*each, [&] { ids[each] = std::this_thread::get_id(); });
  std::promise<void> all;
  std::thread worker([&] {
    for (int i = 0; i < kPosts; ++i) {
      residence->post([&, i] {
        if (ids.at(&residence->thread()) != std::this_thread::get_id()) ++misplaced;
        const bool last = ++ran == kPosts;
        const bool alone = residence->alone();
        if (i % 3 == 0 && moves == arrivals) {  // a session that is not there yet does not move on
          ++moves;
          residence->move(alone ? group->light() : *own, !alone, [&] { ++arrivals; });
        }
        if (last) all.set_value();
      });
    }
  });
  worker.join();
  all.get_future().wait();
  on(residence->thread(), [&] { EXPECT_EQ(arrivals, moves); });
  EXPECT_GE(moves, 1);
  EXPECT_EQ(misplaced, 0);
  group->give_back(*own);
  group->leave();
}

}  // namespace
}  // namespace host::ssh
