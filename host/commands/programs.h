// SPDX-License-Identifier: Apache-2.0
//
// All programs of the system that run for users: how many, their ends, and when their pipes can be used. One thread
// waits for all of them; a program that has nothing to say costs no other.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "host/commands/after_programs.h"
#include "host/commands/child.h"
#include "host/commands/unique_fd.h"
#include "host/core/worker_pool.h"

namespace host::commands {

enum class PipeEnd : std::uint8_t { kIn = 0, kOut = 1, kErr = 2 };

// A program that runs, or has ended. Its pipes are used by one thread, its owner's.
struct RunningProgram {
  Child child;
  std::string user;
  std::uint64_t number = 0;
  std::function<void()> wake;       // a pipe can be used again, or over has become true. Any thread
  std::function<void()> count;      // empty, or counts what its user has once it has ended; may block. On a worker
  std::function<void()> after;      // once that is done. On a worker
  std::shared_ptr<void> place;      // Programs::enter; kept until then
  std::atomic<bool> ended = false;  // nothing more is written to its pipes
  std::atomic<bool> over = false;   // `after` has run as well
  int status = 1;                   // once it has ended: exit status, or
  int signal = 0;                   // what ended it

  std::mutex mutex;  // for the rest
  bool reaped = false;
  std::chrono::steady_clock::time_point kill_at = std::chrono::steady_clock::time_point::max();
};

class Programs {
 public:
  using ProgramPtr = std::shared_ptr<RunningProgram>;

  Programs();
  ~Programs();  // stop()
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  // Threads to start programs on.
  core::WorkerPool& pool() { return pool_; }
  // A place for one more program of this user, free again when nobody holds it. Any thread.
  // Null: there is none.
  std::shared_ptr<void> enter(const std::string& user);
  // Starts it. `program` has its `wake` and `after`. [worker]
  core::Result<void> start(const ChildPlan& plan, const ProgramPtr& program);
  // Has `wake` called once when that pipe can be used. Its owner's thread.
  void await(const RunningProgram& program, PipeEnd end);
  // SIGTERM to all of its process group, a little later SIGKILL. Any thread.
  void end(const ProgramPtr& program);
  // Ends all at once and waits for what is to be done after them. From outside; no more begin.
  void stop();

 private:
  void run();
  void on_event(std::uint64_t event);
  void reap(const ProgramPtr& program);
  void finish(const ProgramPtr& program);
  int kill_overdue();  // milliseconds until it is to be called again, -1: no need to
  ProgramPtr find(std::uint64_t number);
  core::Result<void> begin_start();
  void register_child(const ProgramPtr& program);
  void interrupt();

  // Shared with the places taken, whose owners may stay longer.
  struct Places {
    std::mutex mutex;
    std::map<std::string, std::size_t, std::less<>> taken;  // by user
    std::size_t all = 0;
  };
  const std::shared_ptr<Places> places_ = std::make_shared<Places>();
  UniqueFd epoll_, event_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, ProgramPtr> running_;  // the rest of these under mutex_
  std::uint64_t next_ = 1;
  std::size_t starting_ = 0;
  bool stopping_ = false;
  std::thread thread_;
  core::WorkerPool pool_;
  AfterPrograms after_;
};

}  // namespace host::commands
