// SPDX-License-Identifier: Apache-2.0
//
// A bounded pool of threads for calls that may block. Each plugin instance has its own, so that a stuck backend never
// holds up another (a bulkhead).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host/core/histogram.h"

namespace host::core {

// Jobs that have run for so long do not take up a place any more, as long as they are no more than `most`: others get
// more threads instead.
struct SlowJobs {
  std::size_t most = 0;
  std::chrono::nanoseconds after{0};
};

class WorkerPool {
 public:
  using Job = std::function<void()>;
  using Clock = std::chrono::steady_clock;

  // Threads are named "name-N" and started when first needed, up to max_threads.
  WorkerPool(std::string name, std::size_t max_threads, std::size_t max_queue, SlowJobs slow = {});
  ~WorkerPool();  // stop()
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when the queue is full, no thread can be had or the pool is stopping: the caller answers "busy". Jobs must
  // not throw. Any thread.
  [[nodiscard]] bool submit(Job job);
  // The same without the bound, for releasing what was opened; runs on the calling thread when there is no other. Any
  // thread.
  void submit_cleanup(Job job);
  // Runs what is queued, then joins. Call from outside the pool.
  void stop();

  // While it exists, the calling worker waits for something outside, and its pool does another job in its place, on one
  // more thread if need be: whoever uses it bounds how many do. On other threads it does nothing.
  class Aside {
   public:
    Aside();
    ~Aside();
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

   private:
    WorkerPool* const pool_;
  };

  // For monitoring.
  struct Reading {
    std::string name;
    std::size_t queued = 0, threads = 0, busy = 0;
    Histogram::Reading wait;  // from submit to the start of the job
  };
  // All pools that there are, those of one name added up. Any thread.
  static std::vector<Reading> read_all();

 private:
  struct Entry {
    Job job;
    Clock::time_point submitted;
  };
  struct All;
  static All& all();
  Reading read();
  bool ensure_thread();
  std::size_t places() const;
  bool has_place() const { return running_since_.size() < max_threads_ + aside_ || running_since_.size() < places(); }
  void run();

  const std::string name_;
  const std::size_t max_threads_;
  const std::size_t max_queue_;
  const SlowJobs slow_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> queue_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  std::list<Clock::time_point> running_since_;  // of each job, the oldest first
  std::size_t aside_ = 0;                       // jobs among them that are set aside
  Histogram wait_;
  bool short_of_threads_ = false;  // said so in the log
  bool stopping_ = false;
};

// Sets the calling thread's name in the operating system (15 bytes at most).
void set_thread_name(const std::string& name);

// Asks the scheduler to let the calling thread run soon after it wakes up, for a short time only: a small request then
// does not wait behind threads that encrypt without pause. No effect where the system cannot (Linux before 6.12).
void prefer_short_slices(std::chrono::nanoseconds slice);

}  // namespace host::core
