// SPDX-License-Identifier: Apache-2.0
//
// Real programs: how they start, what they get, how they end, and that nothing of them stays.
#include "hook-common/process.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace hook_common {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest() {
    std::string name = (fs::temp_directory_path() / "sallyport-process-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    ::signal(SIGPIPE, SIG_IGN);  // as in the server
  }
  ~ProcessTest() override { fs::remove_all(directory_); }

  Command script(const std::string& text) {
    const auto file = directory_ / "script";
    std::ofstream(file) << "#!/bin/sh\n" << text;
    fs::permissions(file, fs::perms::owner_all);
    Command command;
    command.program = file.string();
    command.umask = "0027";
    command.writes = command.listens = true;
    return command;
  }
  auto start(const Command& command, Process::Clock::duration time = 20s) {
    return Process::start(dog_, command, Process::Clock::now() + time);
  }
  sallyport::Outcome<std::string> run(const Command& command, Process::Clock::duration time = 20s) {
    auto process = start(command, time);
    if (!process) return process.failure();
    return (*process)->finish([] { return false; });
  }
  std::string content(const char* name) {
    std::ifstream in(directory_ / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path directory_;
  Watchdog dog_;
};

bool is_gone(const std::string& pid) {
  for (int i = 0; i < 1000 && ::kill(std::atoi(pid.c_str()), 0) == 0; ++i) ::usleep(10'000);
  return ::kill(std::atoi(pid.c_str()), 0) != 0;
}

TEST_F(ProcessTest, GetsArgumentsVariablesUmaskAndThreeDescriptors) {
  ::setenv("FROM_SERVER", "yes", 1);
  const int open = ::dup(0);  // stays open across exec
  auto command = script("echo \"$1|$2|$OURS|$FROM_SERVER|$(umask)\"; ls /proc/self/fd | wc -l");
  command.arguments = {"a b", ""};
  command.variables = {{"OURS", "x y\"$(no)"}, {"FROM_SERVER", "changed"}};
  auto said = run(command);
  ::close(open);
  ASSERT_TRUE(said) << said.failure().message;
  EXPECT_EQ(*said, "a b||x y\"$(no)|changed|0027\n4\n") << "ls itself opens the directory";
}

// As a service gets them from systemd. They belong to a thread.
TEST_F(ProcessTest, GetsNoCapabilityOfTheServers) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  std::thread([&] {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    ASSERT_EQ(::syscall(SYS_capget, &header, data.data()), 0);
    data[0].inheritable |= 1U << CAP_CHOWN;
    ASSERT_EQ(::syscall(SYS_capset, &header, data.data()), 0);
    ASSERT_EQ(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), 0);
    auto said = run(script("grep CapAmb /proc/self/status"));
    ASSERT_TRUE(said);
    EXPECT_EQ(*said, "CapAmb:\t0000000000000000\n");
    EXPECT_EQ(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 1) << "the thread keeps its own";
  }).join();
}

TEST_F(ProcessTest, FailuresSayWhat) {
  auto ended = run(script("exit 3"));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.failure().status, SP_E_DENIED);
  EXPECT_TRUE(ended.failure().message.ends_with("ended with exit code 3"));
  auto signalled = run(script("kill -TERM $$"));
  ASSERT_FALSE(signalled);
  EXPECT_EQ(signalled.failure().status, SP_E_IO);
  EXPECT_TRUE(signalled.failure().message.ends_with("was ended by signal 15"));
  for (const char* code : {"126", "127"}) {
    auto lost = run(script(std::string("exit ") + code));
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.failure().status, SP_E_IO) << "a shell that finds nothing to run ends so";
  }
  Command missing;
  missing.program = (directory_ / "none").string();
  auto none = start(missing);
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.failure().message.ends_with("No such file or directory"));
  auto lost = script("exit 0");
  std::ofstream(lost.program) << "#!/opt/none/python\nexit 0\n";
  auto without = start(lost);
  ASSERT_FALSE(without);
  EXPECT_TRUE(without.failure().message.ends_with(": it cannot be run: its interpreter /opt/none/python is missing"))
      << without.failure().message;
}

TEST_F(ProcessTest, WithoutAnInterpreterItIsTheShells) {
  auto command = script("");
  std::ofstream(command.program) << "echo \"$0 $1\"\n";
  command.arguments = {"a"};
  auto said = run(command);
  ASSERT_TRUE(said) << said.failure().message;
  EXPECT_EQ(*said, command.program + " a\n");
}

TEST_F(ProcessTest, LeavesNoCoreAndHasThoseFilesThatItIsToHave) {
  rlimit core{};
  ::getrlimit(RLIMIT_CORE, &core);
  const rlimit raised{core.rlim_max, core.rlim_max};
  ::setrlimit(RLIMIT_CORE, &raised);
  auto command = script("grep -E 'Max core file size|Max open files' /proc/self/limits | tr -s ' '");
  command.open_files = 57;
  auto said = run(command);
  ::setrlimit(RLIMIT_CORE, &core);
  ASSERT_TRUE(said) << said.failure().message;
  EXPECT_NE(said->find("Max core file size 0 0 "), std::string::npos) << *said;
  EXPECT_NE(said->find("Max open files 57 "), std::string::npos) << *said;
}

// What the server ignores, or blocks on one of its threads, is its own affair.
TEST_F(ProcessTest, GetsEverySignal) {
  ::signal(SIGPIPE, SIG_IGN);
  auto said = run(script("grep -E 'Sig(Blk|Ign)' /proc/self/status"));
  ASSERT_TRUE(said);
  EXPECT_EQ(*said, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(ProcessTest, WhatCannotBeRunIsKnownBefore) {
  EXPECT_EQ(why_no_program(script("exit 0").program), "");
  EXPECT_EQ(why_no_program("/bin/sh"), "");
  for (const char* path : {"sh", "/", "/etc/passwd", "/none"}) EXPECT_NE(why_no_program(path), "") << path;
  const auto lost = script("exit 0").program;
  std::ofstream(lost) << "#! /opt/none/python -u\nexit 0\n";
  EXPECT_EQ(why_no_program(lost), "cannot be run: its interpreter /opt/none/python is missing");
  std::ofstream(lost) << "#!/bin/sh\r\nexit 0\r\n";
  EXPECT_EQ(why_no_program(lost), "cannot be run: its lines end as on Windows");
  std::ofstream(lost) << "#!\nexit 0\n";
  EXPECT_EQ(why_no_program(lost), "") << "the shell that starts it takes it for its own";
}

TEST_F(ProcessTest, IsKilledWithItsGroupAtTheDeadline) {
  const auto begun = Process::Clock::now();
  auto late = run(script("sleep 100 & echo $! > " + (directory_ / "child").string() + "; wait"), 500ms);
  EXPECT_LT(Process::Clock::now() - begun, 20s);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.failure().status, SP_E_TIMED_OUT);
  EXPECT_TRUE(is_gone(content("child")));
}

TEST_F(ProcessTest, IsKilledAtTheDeadlineThoughNobodyWaits) {
  auto process = start(script("echo $$ > " + (directory_ / "self").string() + "; echo ready; exec sleep 100"), 5s);
  ASSERT_TRUE(process);
  auto line = (*process)->read_line([] { return false; });
  ASSERT_TRUE(line);
  EXPECT_EQ(**line, "ready");
  EXPECT_TRUE(is_gone(content("self"))) << "nor is it a zombie";
  auto next = (*process)->read_line([] { return false; });
  ASSERT_FALSE(next);
  EXPECT_EQ(next.failure().status, SP_E_TIMED_OUT);
}

TEST_F(ProcessTest, WhoWaitsForAnswersAndEndsLeavesNothing) {
  auto place = std::make_shared<int>();
  auto command = script("echo $$ > " + (directory_ / "self").string() + "; echo last");
  command.place = place;
  auto process = start(command);
  command.place.reset();
  ASSERT_TRUE(process);
  for (int i = 0; i < 1000 && place.use_count() > 1; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(place.use_count(), 1) << "its place is free";
  EXPECT_TRUE(is_gone(content("self")));
  auto line = (*process)->read_line([] { return false; });
  ASSERT_TRUE(line);
  EXPECT_EQ(**line, "last") << "what it has said is still there";
}

// As GNU timeout does for what it runs, and setsid for whatever is to outlive somebody.
TEST_F(ProcessTest, IsKilledWithThoseThatHaveLeftItsGroup) {
  const auto file = [&](const char* name) { return (directory_ / name).string(); };
  auto late =
      run(script("timeout 100 sh -c 'echo $$ > " + file("timeout") + "; sleep 100; true' &\nsetsid sh -c 'echo $$ > " +
                 file("setsid") + "; (echo $(exec sh -c \"echo \\$PPID\") > " + file("deep") +
                 "; sleep 100; true); true' &\nwait"),
          2s);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.failure().status, SP_E_TIMED_OUT);
  for (const char* name : {"timeout", "setsid", "deep"}) {
    EXPECT_GT(std::atoi(content(name).c_str()), 1) << name;
    EXPECT_TRUE(is_gone(content(name))) << name;
  }
}

TEST_F(ProcessTest, WhoChangesItsOwnGroupIsKilledAllTheSame) {
  const auto begun = Process::Clock::now();
  Command python;
  python.program = "/usr/bin/python3";
  python.arguments = {"-c",
                      "import os, subprocess, time\n"
                      "child = subprocess.Popen(['sleep', '100'], process_group=0)\n"
                      "os.setpgid(0, child.pid)\n"
                      "open('" +
                          (directory_ / "self").string() +
                          "', 'w').write(str(os.getpid()))\n"
                          "time.sleep(100)\n"};
  python.umask = "0022";
  auto late = run(python, 2s);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.failure().status, SP_E_TIMED_OUT) << late.failure().message;
  EXPECT_LT(Process::Clock::now() - begun, 20s);
  EXPECT_GT(std::atoi(content("self").c_str()), 1);
  EXPECT_TRUE(is_gone(content("self")));
}

TEST_F(ProcessTest, WhoHasEndedInTimeIsNotLate) {
  const auto deadline = Process::Clock::now() + 2s;
  auto command = script("sleep 100 & echo $! > " + (directory_ / "child").string() + "; echo $$ > " +
                        (directory_ / "self").string() + "; echo done");
  command.leave_others = true;
  auto process = Process::start(dog_, command, deadline);
  ASSERT_TRUE(process);
  std::this_thread::sleep_until(deadline + 200ms);  // somebody has other things to do
  auto said = (*process)->finish([] { return false; });
  ASSERT_TRUE(said) << said.failure().message;
  EXPECT_EQ(*said, "done\n");
  const int child = std::atoi(content("child").c_str());
  EXPECT_EQ(::kill(child, 0), 0) << "what it has left behind may go on";
  ::kill(child, SIGKILL);
}

TEST_F(ProcessTest, DoesNotWaitForChildrenThatKeepItsOutput) {
  auto said = run(script("sleep 100 & echo $! > " + (directory_ / "child").string() + "; echo done"));
  ASSERT_TRUE(said);
  EXPECT_EQ(*said, "done\n");
  EXPECT_TRUE(is_gone(content("child")));
}

TEST_F(ProcessTest, LeavesOthersAloneWhenAsked) {
  auto command = script("sleep 100 & echo $! > " + (directory_ / "child").string());
  command.leave_others = true;
  ASSERT_TRUE(run(command));
  const int child = std::atoi(content("child").c_str());
  EXPECT_EQ(::kill(child, 0), 0);
  ::kill(child, SIGKILL);
}

TEST_F(ProcessTest, TooMuchOutputEndsIt) {
  auto command = script("exec cat /dev/zero");
  command.most_output = 100'000;
  auto flood = run(command);
  ASSERT_FALSE(flood);
  EXPECT_EQ(flood.failure().status, SP_E_INVALID);
}

TEST_F(ProcessTest, WhoeverIsCancelledIsKilled) {
  auto process = start(script("exec sleep 100"));
  ASSERT_TRUE(process);
  auto done = (*process)->finish([] { return true; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().status, SP_E_CANCELLED);
}

TEST_F(ProcessTest, TalksLineByLine) {
  auto process = start(script("echo one; read A; echo \"two $A\"; read A; printf \"end $A\""));
  ASSERT_TRUE(process);
  const auto line = [&] {
    auto read = (*process)->read_line([] { return false; });
    return !read ? read.failure().message : read->value_or("(end)");
  };
  EXPECT_EQ(line(), "one");
  ASSERT_TRUE((*process)->write("x\n", [] { return false; }));
  EXPECT_EQ(line(), "two x");
  ASSERT_TRUE((*process)->write("y\n", [] { return false; }));
  EXPECT_EQ(line(), "end y");
  EXPECT_EQ(line(), "(end)");
}

// More than a pipe holds, to a program that takes its time.
TEST_F(ProcessTest, ALongAnswerArrivesWhole) {
  const std::string answer(300'000, 'x');
  auto process = start(script("echo ready; sleep 0.3; wc -c"));
  ASSERT_TRUE(process);
  ASSERT_TRUE((*process)->read_line([] { return false; }));
  auto written = (*process)->write(answer, [] { return false; });
  ASSERT_TRUE(written) << written.failure().message;
  process = start(script("exec sleep 100"), 500ms);
  written = (*process)->write(answer, [] { return false; });
  ASSERT_FALSE(written) << "nobody reads it";
  EXPECT_EQ(written.failure().status, SP_E_TIMED_OUT);
  process = start(script("exit 0"));
  EXPECT_TRUE((*process)->write(answer, [] { return false; }));
}

}  // namespace
}  // namespace hook_common
