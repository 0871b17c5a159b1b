// SPDX-License-Identifier: Apache-2.0
#include "host/core/worker_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <semaphore>
#include <set>
#include <string>
#include <thread>

namespace host::core {
namespace {

TEST(WorkerPool, StopRunsWhatIsQueued) {
  std::atomic<int> done = 0;
  std::binary_semaphore go(0);
  WorkerPool pool("test", 1, 100);
  ASSERT_TRUE(pool.submit([&] { go.acquire(); }));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(pool.submit([&] { ++done; }));
  go.release();
  pool.stop();
  EXPECT_EQ(done, 50);
}

TEST(WorkerPool, QueueIsBounded) {
  std::binary_semaphore started(0), go(0);
  std::atomic<int> done = 0;
  WorkerPool pool("test", 1, 2);
  ASSERT_TRUE(pool.submit([&] { started.release(), go.acquire(); }));
  started.acquire();  // from here on the only thread is busy
  EXPECT_TRUE(pool.submit([&] { ++done; }));
  EXPECT_TRUE(pool.submit([&] { ++done; }));
  EXPECT_FALSE(pool.submit([&] { ++done; }));
  pool.submit_cleanup([&] { done += 10; });
  go.release();
  pool.stop();
  EXPECT_EQ(done, 12);
}

TEST(WorkerPool, GrowsToItsLimitAndNotBeyond) {
  constexpr int kThreads = 4;
  std::latch all_running(kThreads);
  std::atomic<int> running = 0, most = 0;
  WorkerPool pool("test", kThreads, 100);
  for (int i = 0; i < kThreads; ++i) {
    ASSERT_TRUE(pool.submit([&] { all_running.arrive_and_wait(); }));  // ends only when four run at once
  }
  all_running.wait();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(pool.submit([&] {
      const int now = ++running;
      int seen = most;
      while (seen < now && !most.compare_exchange_weak(seen, now)) {}
      --running;
    }));
  }
  pool.stop();
  EXPECT_LE(most, kThreads);
}

TEST(WorkerPool, WhoStepsAsideMakesRoomForAnother) {
  std::latch all_aside(3), others_done(2);
  std::atomic<int> running = 0, most = 0;
  WorkerPool pool("test", 1, 100);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(pool.submit([&] {
      const WorkerPool::Aside aside;
      all_aside.arrive_and_wait();  // ends only when three are aside at once
      others_done.wait();
    }));
  }
  all_aside.wait();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(pool.submit([&] {
      most = std::max(most.load(), ++running);
      --running;
      others_done.count_down();
    }));
  }
  others_done.wait();
  pool.stop();
  EXPECT_EQ(most, 1) << "the place is lent once";
}

TEST(WorkerPool, AfterThatThePoolIsAsWideAsBefore) {
  std::latch aside_over(2);
  std::atomic<int> running = 0, most = 0;
  WorkerPool pool("test", 1, 300);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(pool.submit([&] {
      {
        const WorkerPool::Aside aside;
        aside_over.arrive_and_wait();
      }
    }));
  }
  aside_over.wait();
  std::binary_semaphore first_runs(0);
  ASSERT_TRUE(pool.submit([&] { first_runs.release(); }));
  first_runs.acquire();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(pool.submit([&] {
      const int now = ++running;
      int seen = most;
      while (seen < now && !most.compare_exchange_weak(seen, now)) {}
      std::this_thread::yield();
      --running;
    }));
  }
  pool.stop();
  EXPECT_EQ(most, 1);
}

// Nobody submits anything any more once they are slow.
TEST(WorkerPool, SlowJobsKeepNobodyFromWorking) {
  constexpr int kSlow = 5;
  std::counting_semaphore<> go(0);
  std::binary_semaphore done(0);
  WorkerPool pool("test", 2, 100, {.most = kSlow, .after = std::chrono::milliseconds(20)});
  for (int i = 0; i < kSlow; ++i) ASSERT_TRUE(pool.submit([&] { go.acquire(); }));
  ASSERT_TRUE(pool.submit([&] { done.release(); }));
  EXPECT_TRUE(done.try_acquire_for(std::chrono::seconds(20)));
  go.release(kSlow);
}

TEST(WorkerPool, NoMoreOfThemLoseTheirPlacesThanTheLimitSays) {
  std::atomic<int> running = 0;
  std::counting_semaphore<> started(0), go(0);
  WorkerPool pool("test", 2, 100, {.most = 3, .after = std::chrono::milliseconds(1)});
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(pool.submit([&] {
      ++running;
      started.release();
      go.acquire();
    }));
  }
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(started.try_acquire_for(std::chrono::seconds(20)));
  EXPECT_FALSE(started.try_acquire_for(std::chrono::milliseconds(100))) << "two places, and three that are slow";
  EXPECT_EQ(running, 5);
  go.release(9);
}

TEST(WorkerPool, AsideMeansNothingElsewhere) { const WorkerPool::Aside aside; }

TEST(WorkerPool, OneThreadDoesAllWhenItKeepsUp) {
  std::set<std::thread::id> threads;
  WorkerPool pool("test", 8, 100);
  for (int i = 0; i < 20; ++i) {
    std::binary_semaphore done(0);
    ASSERT_TRUE(pool.submit([&] {
      threads.insert(std::this_thread::get_id());
      done.release();
    }));
    done.acquire();
  }
  pool.stop();
  EXPECT_LE(threads.size(), 2u);  // a second one when a job comes before the first thread is idle again
}

TEST(WorkerPool, AfterStopJobsAreRefusedAndCleanupsRunAtOnce) {
  WorkerPool pool("test", 2, 10);
  pool.stop();
  bool ran = false;
  EXPECT_FALSE(pool.submit([&] { ran = true; }));
  EXPECT_FALSE(ran);
  pool.submit_cleanup([&] { ran = true; });
  EXPECT_TRUE(ran);
}

TEST(WorkerPool, JobsAreDestroyedAfterTheyRan) {
  auto held = std::make_shared<int>(1);
  std::weak_ptr<int> watched = held;
  WorkerPool pool("test", 1, 10);
  ASSERT_TRUE(pool.submit([held = std::move(held)] { EXPECT_EQ(*held, 1); }));
  pool.stop();
  EXPECT_TRUE(watched.expired());
}

TEST(WorkerPool, TellsWhatWaits) {
  const auto reading = [] {
    for (const auto& each : WorkerPool::read_all()) {
      if (each.name == "told") return each;
    }
    return WorkerPool::Reading{};
  };
  {
    WorkerPool pool("told", 1, 10), same_name("told", 1, 10);
    std::binary_semaphore begun(0), go_on(0);
    ASSERT_TRUE(pool.submit([&] {
      begun.release();
      go_on.acquire();
    }));
    begun.acquire();
    ASSERT_TRUE(pool.submit([] {}));
    const auto during = reading();
    EXPECT_EQ(during.threads, 1u);
    EXPECT_EQ(during.busy, 1u);
    EXPECT_EQ(during.queued, 1u);
    EXPECT_EQ(during.wait.count(), 1u) << "of what has begun";
    go_on.release();
    pool.stop();
    EXPECT_EQ(reading().queued, 0u);
    EXPECT_EQ(reading().wait.count(), 2u);
  }
  EXPECT_EQ(reading().name, "") << "gone with the pool";
}

#if defined(__linux__)
TEST(WorkerPool, ThreadsCarryThePoolsName) {
  std::array<char, 16> name{};
  WorkerPool pool("storage-with-a-long-name", 1, 10);
  ASSERT_TRUE(pool.submit([&] { pthread_getname_np(pthread_self(), name.data(), name.size()); }));
  pool.stop();
  EXPECT_STREQ(name.data(), "storage-with-a-");
}

// Whoever has work that yields to everything else must not make the workers of others do so, too.
TEST(WorkerPool, ThreadsAreNotScheduledAsWhoAskedForThem) {
  WorkerPool pool("workers", 1, 10);
  int nice = 0;
  int policy = 0;
  std::thread([&] {
    const sched_param none{};
    ASSERT_EQ(sched_setscheduler(0, SCHED_BATCH, &none), 0);
    ASSERT_EQ(setpriority(PRIO_PROCESS, 0, 19), 0);
    ASSERT_TRUE(pool.submit([&] {
      nice = getpriority(PRIO_PROCESS, 0);
      policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
    }));
  }).join();
  pool.stop();
  EXPECT_EQ(nice, getpriority(PRIO_PROCESS, 0));
  EXPECT_EQ(policy, SCHED_OTHER);
}

TEST(WorkerPool, WhatWorkersStartIsScheduledAsUsual) {
  WorkerPool pool("workers", 1, 10);
  int flags = 0;
  ASSERT_TRUE(pool.submit([&] { std::thread([&] { flags = sched_getscheduler(0); }).join(); }));
  pool.stop();
  EXPECT_EQ(flags, SCHED_OTHER);
}
#endif

}  // namespace
}  // namespace host::core
