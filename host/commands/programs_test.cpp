// SPDX-License-Identifier: Apache-2.0
//
// Real children of this process, confined.
#include "host/commands/programs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "host/commands/limits.h"

namespace host::commands {
namespace {

using namespace std::chrono_literals;

std::string read_all(const UniqueFd& pipe) {
  std::string all;
  std::array<char, 4096> part{};
  for (;;) {
    pollfd ready{.fd = pipe.get(), .events = POLLIN, .revents = 0};
    ::poll(&ready, 1, 10'000);
    const auto got = ::read(pipe.get(), part.data(), part.size());
    if (got <= 0) return all;
    all.append(part.data(), static_cast<std::size_t>(got));
  }
}

class ProgramsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/sallyport-programs-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    home_ = name;
    const auto first = start_child(plan({"true"}));
    if (first) ::waitpid(first->pid, nullptr, 0);
    if (!first && first.error().status == core::Status::kUnsupported) GTEST_SKIP() << first.error().message();
  }
  void TearDown() override { std::filesystem::remove_all(home_); }

  ChildPlan plan(std::vector<std::string> words) const {
    ChildPlan made;
    made.file = find_program(words.front());
    made.words = std::move(words);
    made.environment = {"LC_ALL=C"};
    made.runs = {"/usr/bin"};  // tests are scripts
    made.directory = home_;
    return made;
  }
  Programs::ProgramPtr start(const ChildPlan& plan) {
    auto program = std::make_shared<RunningProgram>();
    program->wake = [] {};
    program->after = [over = over_] { over->set_value(); };
    EXPECT_TRUE(programs_.start(plan, program));
    return program;
  }
  bool ends() { return over_->get_future().wait_for(20s) == std::future_status::ready; }

  std::string home_;
  std::shared_ptr<std::promise<void>> over_ = std::make_shared<std::promise<void>>();
  Programs programs_;
};

TEST_F(ProgramsTest, PassesBytesAndTheExitStatus) {
  const auto program = start(plan({"sh", "-c", "cat; echo complaint >&2; exit 7"}));
  ASSERT_EQ(::write(program->child.in.get(), "hello", 5), 5);
  program->child.in.reset();
  EXPECT_EQ(read_all(program->child.out), "hello");
  EXPECT_EQ(read_all(program->child.err), "complaint\n");
  ASSERT_TRUE(ends());
  EXPECT_EQ(program->status, 7);
  EXPECT_EQ(program->signal, 0);
}

TEST_F(ProgramsTest, HasNothingOfOurs) {
  const UniqueFd open(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC
  const auto program = start(plan(
      {"sh", "-c", "for i in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$i ] && echo fd $i; done; umask; ulimit -c; env"}));
  const auto said = read_all(program->child.out);
  EXPECT_EQ(said.find("fd "), std::string::npos) << said;
  EXPECT_NE(said.find("0022\n0\n"), std::string::npos) << said;
  EXPECT_EQ(said.find("HOME="), std::string::npos) << said;
  ASSERT_TRUE(ends());
}

TEST_F(ProgramsTest, ReachesItsDirectoryOnly) {
  const auto outside = std::filesystem::path(home_ + ".outside");
  std::ofstream(outside) << "secret";
  std::filesystem::create_symlink(outside, home_ + "/link");
  const auto program = start(plan({"sh", "-c",
                                   "echo in > file; cat file link " + outside.string() +
                                       " /etc/hostname /etc/passwd;"
                                       "echo x > " +
                                       outside.string() +
                                       "; echo x > link; chmod 777 link;"
                                       "cp /usr/bin/true run; ./run && echo RAN; mknod n c 1 3 && echo MADE"}));
  program->child.in.reset();
  EXPECT_EQ(read_all(program->child.out), "in\n");
  ASSERT_TRUE(ends());
  std::string content;
  std::ifstream(outside) >> content;
  EXPECT_EQ(content, "secret");
  EXPECT_EQ(std::filesystem::status(outside).permissions() & std::filesystem::perms::others_write,
            std::filesystem::perms::none);
  std::filesystem::remove(outside);
}

TEST_F(ProgramsTest, ReachesADirectoryBelowItOnly) {
  for (const char* name : {"/a", "/a/b", "/other"}) std::filesystem::create_directory(home_ + name);
  std::ofstream(home_ + "/other/secret") << "secret";
  std::filesystem::create_directory_symlink("other", home_ + "/link");
  auto kept = plan({"sh", "-c",
                    "echo in > file; cat file ../../other/secret " + home_ + "/other/secret; echo x > " + home_ +
                        "/other/new; chmod 777 " + home_ + "/other"});
  kept.below = "a/b";
  const auto program = start(kept);
  program->child.in.reset();
  EXPECT_EQ(read_all(program->child.out), "in\n");
  ASSERT_TRUE(ends());
  EXPECT_TRUE(std::filesystem::exists(home_ + "/a/b/file"));
  EXPECT_FALSE(std::filesystem::exists(home_ + "/other/new"));
  EXPECT_EQ(std::filesystem::status(home_ + "/other").permissions() & std::filesystem::perms::others_write,
            std::filesystem::perms::none);
  for (const char* way_out : {"link", "..", "a/../../x", "/tmp", "none", "other/secret"}) {
    kept.below = way_out;
    EXPECT_FALSE(programs_.start(kept, std::make_shared<RunningProgram>())) << way_out;
  }
}

// Capabilities belong to a thread: what a test takes away or gives stays in its thread.
class Capabilities {
 public:
  Capabilities() { ::syscall(SYS_capget, &header_, data_.data()); }
  Capabilities& without(unsigned number) {
    data_[number / 32].effective &= ~(1U << number % 32);
    return *this;
  }
  Capabilities& inheritable(unsigned number) {
    data_[number / 32].inheritable |= 1U << number % 32;
    return *this;
  }
  bool set() { return ::syscall(SYS_capset, &header_, data_.data()) == 0; }

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data_{};
};

TEST_F(ProgramsTest, NothingRunsWithoutAViewOfItsOwn) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  std::thread([&] {
    ASSERT_TRUE(Capabilities().without(CAP_SYS_ADMIN).set());
    const auto child = start_child(plan({"true"}));
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error().status, core::Status::kUnsupported);
  }).join();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(ProgramsTest, NothingRunsAsSomebodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  std::filesystem::permissions(home_, std::filesystem::perms::all);
  auto owned = plan({"sh", "-c", "id -u; id -g"});
  owned.uid = owned.gid = 4242;
  EXPECT_EQ(read_all(start(owned)->child.out), "4242\n4242\n");
  ASSERT_TRUE(ends());
  for (const unsigned missing : {CAP_SETUID, CAP_SETGID}) {
    std::thread([&] {
      ASSERT_TRUE(Capabilities().without(missing).set());
      const auto child = start_child(owned);
      ASSERT_FALSE(child);
      EXPECT_EQ(child.error().status, core::Status::kUnsupported);
    }).join();
  }
  std::thread([&] {  // a server that is not root, but has its rights
    ASSERT_EQ(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
    ASSERT_EQ(::syscall(SYS_setresuid, 4243, 4243, 4243), 0);
    EXPECT_FALSE(start_child(owned));
  })
      .join();
}

TEST_F(ProgramsTest, InheritsNoCapability) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  std::thread([&] {
    ASSERT_TRUE(Capabilities().inheritable(CAP_CHOWN).set());
    ASSERT_EQ(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), 0);
    const auto program = start(plan({"cat"}));
    std::ifstream status("/proc/" + std::to_string(program->child.pid) + "/status");
    std::string line;
    while (std::getline(status, line) && !line.starts_with("CapAmb:")) {}
    EXPECT_EQ(line, "CapAmb:\t0000000000000000");
    program->child.in.reset();
  }).join();
  ASSERT_TRUE(ends());
}

TEST_F(ProgramsTest, EndsWithItsGroup) {
  const auto program = start(plan({"sh", "-c", "trap '' TERM; sleep 1000 & echo $!; wait; sleep 1000"}));
  std::array<char, 16> pid{};
  pollfd ready{.fd = program->child.out.get(), .events = POLLIN, .revents = 0};
  ::poll(&ready, 1, 10'000);
  ASSERT_GT(::read(program->child.out.get(), pid.data(), pid.size() - 1), 0);
  programs_.end(program);
  ASSERT_TRUE(ends());
  EXPECT_EQ(program->signal, SIGKILL);
  EXPECT_EQ(read_all(program->child.out), "");  // nobody holds the other end
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(ProgramsTest, AnEndIsToldByItsSignal) {
  const auto program = start(plan({"sleep", "1000"}));
  programs_.end(program);
  ASSERT_TRUE(ends());
  EXPECT_EQ(program->signal, SIGTERM);
}

TEST_F(ProgramsTest, WhatCannotRunSaysSo) {
  auto none = plan({"true"});
  none.file = home_ + "/none";
  EXPECT_FALSE(programs_.start(none, std::make_shared<RunningProgram>()));
  auto nowhere = plan({"true"});
  nowhere.directory = home_ + "/none";
  EXPECT_FALSE(programs_.start(nowhere, std::make_shared<RunningProgram>()));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(ProgramsTest, StopEndsAll) {
  start(plan({"sh", "-c", "trap '' TERM; sleep 1000"}));
  programs_.stop();
  EXPECT_EQ(over_->get_future().wait_for(0s), std::future_status::ready);
  auto late = std::make_shared<RunningProgram>();
  EXPECT_FALSE(programs_.start(plan({"true"}), late));
}

TEST_F(ProgramsTest, PlacesAreLimited) {
  std::vector<std::shared_ptr<void>> places;
  while (auto place = programs_.enter("ann")) places.push_back(std::move(place));
  EXPECT_EQ(places.size(), limits::kMaxProgramsPerUser);
  EXPECT_TRUE(programs_.enter("bob"));
  places.pop_back();
  EXPECT_TRUE(programs_.enter("ann"));
}

}  // namespace
}  // namespace host::commands
