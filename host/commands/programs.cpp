// SPDX-License-Identifier: Apache-2.0
//
// One epoll for all programs. A process is waited for by its descriptor, so that no number is signalled that means
// another process by then: the leader of a group stays a zombie until the rest of its group has been killed.
#include "host/commands/programs.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>
#include <vector>

#include "host/commands/limits.h"
#include "host/core/log.h"

namespace host::commands {
namespace {

using core::Error;
using core::Result;
using core::Status;
using Clock = std::chrono::steady_clock;

// An event names a program and which of its descriptors.
constexpr std::uint64_t kKinds = 4;
constexpr std::uint64_t kEndOfProcess = 3;
constexpr std::uint64_t kInterrupt = 0;  // programs count from 1

constexpr idtype_t kByPidfd = static_cast<idtype_t>(3);  // P_PIDFD

const UniqueFd& pipe_of(const RunningProgram& program, PipeEnd end) {
  switch (end) {
    case PipeEnd::kIn: return program.child.in;
    case PipeEnd::kOut: return program.child.out;
    default: return program.child.err;
  }
}

}  // namespace

Programs::Programs() : pool_("programs", limits::kProgramThreads, limits::kMaxPrograms) {}

Programs::~Programs() { stop(); }

std::shared_ptr<void> Programs::enter(const std::string& user) {
  const std::lock_guard lock(places_->mutex);
  if (places_->all >= limits::kMaxPrograms) return nullptr;
  auto& of_user = places_->taken[user];
  if (of_user >= limits::kMaxProgramsPerUser) return nullptr;
  ++of_user;
  ++places_->all;
  return {static_cast<void*>(&of_user), [places = places_, user](void*) {
            const std::lock_guard its(places->mutex);
            --places->all;
            const auto mine = places->taken.find(user);
            if (--mine->second == 0) places->taken.erase(mine);
          }};
}

Result<void> Programs::begin_start() {
  const std::lock_guard lock(mutex_);
  if (stopping_) return Status::kCancelled;
  if (!thread_.joinable()) {
    epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    event_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    epoll_event event{.events = EPOLLIN, .data = {.u64 = kInterrupt}};
    if (!epoll_ || !event_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event) != 0)
      return Error(Status::kIo, "cannot wait for programs");
    thread_ = std::thread([this] { run(); });
  }
  ++starting_;
  return core::ok();
}

Result<void> Programs::start(const ChildPlan& plan, const ProgramPtr& program) {
  if (auto may = begin_start(); !may) return may;
  auto child = start_child(plan);
  auto outcome = child ? core::ok() : child.error();
  if (child) {
    program->child = *std::move(child);
    register_child(program);
  }
  {
    const std::lock_guard lock(mutex_);
    --starting_;
    if (stopping_) interrupt();
  }
  return outcome;
}

// Pipes are watched once each, when their owner asks for it.
void Programs::register_child(const ProgramPtr& program) {
  const std::lock_guard lock(mutex_);
  program->number = next_++;
  running_.emplace(program->number, program);
  for (const auto end : {PipeEnd::kIn, PipeEnd::kOut, PipeEnd::kErr}) {
    epoll_event event{.events = EPOLLONESHOT,
                      .data = {.u64 = program->number * kKinds + static_cast<std::uint64_t>(end)}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, pipe_of(*program, end).get(), &event);
  }
  epoll_event event{.events = EPOLLIN, .data = {.u64 = program->number * kKinds + kEndOfProcess}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, program->child.pidfd.get(), &event);
  if (stopping_) ::kill(-program->child.pid, SIGKILL);
}

void Programs::await(const RunningProgram& program, PipeEnd end) {
  epoll_event event{.events = (end == PipeEnd::kIn ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT,
                    .data = {.u64 = program.number * kKinds + static_cast<std::uint64_t>(end)}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, pipe_of(program, end).get(), &event);
}

void Programs::end(const ProgramPtr& program) {
  {
    const std::lock_guard lock(program->mutex);
    if (program->reaped) return;
    ::kill(-program->child.pid, SIGTERM);
    program->kill_at = std::min(program->kill_at, Clock::now() + limits::kProgramStopTime);
  }
  interrupt();
}

void Programs::interrupt() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);  // full: it will wake up anyway
}

Programs::ProgramPtr Programs::find(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(number);
  return found == running_.end() ? nullptr : found->second;
}

void Programs::run() {
  core::set_thread_name("programs");
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ && running_.empty() && starting_ == 0) return;
    }
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), kill_overdue());
    for (int i = 0; i < count; ++i) on_event(events[static_cast<std::size_t>(i)].data.u64);
  }
}

void Programs::on_event(std::uint64_t event) {
  if (event == kInterrupt) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(event_.get(), &count, sizeof count);
    return;
  }
  const auto program = find(event / kKinds);
  if (!program) return;
  if (event % kKinds == kEndOfProcess) {
    reap(program);
  } else {
    program->wake();
  }
}

void Programs::reap(const ProgramPtr& program) {
  {
    const std::lock_guard lock(program->mutex);
    ::kill(-program->child.pid, SIGKILL);  // what it has left behind
    siginfo_t info{};
    ::waitid(kByPidfd, static_cast<id_t>(program->child.pidfd.get()), &info, WEXITED);
    program->reaped = true;
    const bool exited = info.si_code == CLD_EXITED;
    program->status = exited ? info.si_status : 1;
    program->signal = exited ? 0 : info.si_status;
    program->child.pidfd.reset();
  }
  program->ended = true;
  program->wake();
  finish(program);
  const std::lock_guard lock(mutex_);
  running_.erase(program->number);
}

void Programs::finish(const ProgramPtr& program) {
  auto done = [program] {
    if (const auto after = std::exchange(program->after, nullptr)) after();
    program->place.reset();
    program->over = true;
    program->wake();
  };
  if (auto count = std::exchange(program->count, nullptr)) {
    after_.count(program->user, std::move(count), std::move(done));
  } else {
    after_.settle(std::move(done));
  }
}

int Programs::kill_overdue() {
  const auto now = Clock::now();
  auto next = Clock::time_point::max();
  const std::lock_guard lock(mutex_);
  for (const auto& [number, program] : running_) {
    const std::lock_guard its(program->mutex);
    if (program->reaped) continue;
    if (program->kill_at <= now) {
      ::kill(-program->child.pid, SIGKILL);
      program->kill_at = Clock::time_point::max();
    }
    next = std::min(next, program->kill_at);
  }
  if (next == Clock::time_point::max()) return -1;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(next - now).count());
}

void Programs::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& [number, program] : running_) {
      const std::lock_guard its(program->mutex);
      if (!program->reaped) ::kill(-program->child.pid, SIGKILL);
    }
    if (thread_.joinable()) interrupt();
  }
  if (thread_.joinable()) thread_.join();
  pool_.stop();
  after_.stop();
}

}  // namespace host::commands
