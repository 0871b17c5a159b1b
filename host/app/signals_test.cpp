// SPDX-License-Identifier: Apache-2.0
#include "host/app/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <semaphore>

namespace host::app {
namespace {

TEST(Signals, StopAndReloadAreCalled) {
  std::counting_semaphore<10> stopped(0), reloaded(0);
  Signals signals;
  signals.start({[&] { stopped.release(); }, [&] { reloaded.release(); }});
  for (const int number : {SIGTERM, SIGINT, SIGTERM}) {
    ::kill(::getpid(), number);
    stopped.acquire();
  }
  ::kill(::getpid(), SIGHUP);
  reloaded.acquire();
}

TEST(Signals, WhatCameBeforeStartIsNotLost) {
  std::binary_semaphore stopped(0);
  Signals signals;
  ::kill(::getpid(), SIGTERM);
  signals.start({[&] { stopped.release(); }, [] {}});
  stopped.acquire();
}

TEST(Signals, AfterFinishReloadIsIgnored) {
  std::atomic<int> calls = 0;
  {
    Signals signals;
    signals.start({[&] { ++calls; }, [&] { ++calls; }});
    signals.finish();
    ::kill(::getpid(), SIGHUP);
  }
  EXPECT_EQ(calls, 0);
}

TEST(SignalsDeathTest, AfterFinishAStopEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Signals signals;
        signals.start({[] {}, [] {}});
        signals.finish();
        ::kill(::getpid(), SIGTERM);
        for (;;) ::pause();
      },
      testing::ExitedWithCode(EXIT_FAILURE), "");
}

}  // namespace
}  // namespace host::app
