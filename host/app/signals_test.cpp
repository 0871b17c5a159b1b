// SPDX-License-Identifier: Apache-2.0
#include "host/app/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <semaphore>

namespace host::app {
namespace {

const Signals::Patience kPatient{std::chrono::hours(1), std::chrono::hours(1), {}};

TEST(Signals, StopAndReloadAreCalled) {
  std::counting_semaphore<10> stopped(0), reloaded(0);
  Signals signals;
  signals.start({[&] { stopped.release(); }, [&] { reloaded.release(); }}, kPatient);
  for (const int number : {SIGTERM, SIGINT}) {
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
  signals.start({[&] { stopped.release(); }, [] {}}, kPatient);
  stopped.acquire();
}

TEST(Signals, AfterFinishReloadIsIgnored) {
  std::atomic<int> calls = 0;
  {
    Signals signals;
    signals.start({[&] { ++calls; }, [&] { ++calls; }}, kPatient);
    signals.finish();
    ::kill(::getpid(), SIGHUP);
  }
  EXPECT_EQ(calls, 0);
}

// Starts, lets `scenario` send signals, and waits for the end.
void run_until_the_end(Signals::Patience patience, const std::function<void(Signals&)>& scenario) {
  Signals signals;
  signals.start({[] {}, [] {}}, std::move(patience));
  scenario(signals);
  for (;;) ::pause();
}

void stop() { ::kill(::getpid(), SIGTERM); }

TEST(SignalsDeathTest, AfterFinishAStopBoundsWhatIsLeft) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto patience = kPatient;
  patience.stopping = std::chrono::milliseconds(10);
  EXPECT_EXIT(run_until_the_end(patience,
                                [](Signals& signals) {
                                  signals.finish();
                                  stop();
                                }),
              testing::ExitedWithCode(EXIT_FAILURE), "");
}

TEST(Signals, AStopThatComesAtTheVeryEndIsNoFailure) {
  std::binary_semaphore stopped(0);
  Signals signals;
  signals.start({[&] { stopped.release(); }, [] {}}, kPatient);
  stop();
  stopped.acquire();
  signals.finish();
  stop();
}

TEST(Signals, SignalsOfOtherServersLogRotationAreIgnored) {
  Signals signals;
  ::kill(::getpid(), SIGUSR1);
  ::kill(::getpid(), SIGUSR2);
}

TEST(SignalsDeathTest, AStopThatDoesNotComeToAnEndIsGivenUp) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto patience = kPatient;
  patience.stopping = std::chrono::milliseconds(10);
  patience.give_up = [] { ::write(STDERR_FILENO, "given up\n", 9); };
  EXPECT_EXIT(run_until_the_end(patience, [](Signals&) { stop(); }), testing::ExitedWithCode(EXIT_FAILURE), "given up");
}

TEST(SignalsDeathTest, TheSecondStopHasItsOwnPatience) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        std::counting_semaphore<2> stopped(0);
        Signals signals;
        signals.start({[&] { stopped.release(); }, [] {}}, {std::chrono::hours(1), std::chrono::milliseconds(10), {}});
        for (int i = 0; i < 2; ++i) {
          stop();
          stopped.acquire();
        }
        for (;;) ::pause();
      },
      testing::ExitedWithCode(EXIT_FAILURE), "");
}

}  // namespace
}  // namespace host::app
