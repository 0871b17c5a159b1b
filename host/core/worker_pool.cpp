// SPDX-License-Identifier: Apache-2.0
//
// One mutex and one condition variable: hand-overs are counted in thousands per second, not millions, because requests
// travel in batches.
#include "host/core/worker_pool.h"

#include <pthread.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

#include "host/core/limits.h"
#include "host/core/log.h"

namespace host::core {

void set_thread_name(const std::string& name) {
#if defined(__linux__)
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
#else
  (void)name;
#endif
}

void prefer_short_slices(std::chrono::nanoseconds slice) {
#if defined(__linux__)
  // sched_setattr(2); the C library has neither the call nor the structure.
  struct {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
  } attr{};
  if (::syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) != 0) return;
  constexpr std::uint64_t kResetOnFork = 1;
  attr.flags |= kResetOnFork;  // the programs that it starts are no short work
  attr.runtime = static_cast<std::uint64_t>(slice.count());
  ::syscall(SYS_sched_setattr, 0, &attr, 0);
#else
  (void)slice;
#endif
}

namespace {

thread_local WorkerPool* own_pool = nullptr;  // of the calling worker

// A new thread inherits how its maker is scheduled, for good: this one is made at the start, and makes all workers, so
// that they are like it, whoever asks for them.
class Starter {
 public:
  static Starter& get() {
    static Starter& only = *new Starter;  // never destroyed: pools may be static
    return only;
  }

  // Throws std::system_error like std::thread.
  std::thread start(std::function<void()> body) {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [this] { return state_ == State::kFree; });
    body_ = std::move(body);
    state_ = State::kAsked;
    wake_.notify_one();
    made_.wait(lock, [this] { return state_ == State::kMade; });
    state_ = State::kFree;
    free_.notify_one();
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    return std::move(thread_);
  }

 private:
  enum class State { kFree, kAsked, kMade };

  Starter() {
    std::thread([this] { run(); }).detach();
  }

  [[noreturn]] void run() {
    set_thread_name("starter");
    for (std::unique_lock lock(mutex_);;) {
      wake_.wait(lock, [this] { return state_ == State::kAsked; });
      try {
        thread_ = std::thread(std::move(body_));
      } catch (const std::system_error&) {
        error_ = std::current_exception();
      }
      body_ = nullptr;
      state_ = State::kMade;
      made_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable free_, wake_, made_;
  State state_ = State::kFree;
  std::function<void()> body_;
  std::thread thread_;
  std::exception_ptr error_;
};

}  // namespace

struct WorkerPool::All {
  std::mutex mutex;  // taken before a pool's own
  std::vector<WorkerPool*> pools;
};

// Never destroyed: pools may be static.
WorkerPool::All& WorkerPool::all() {
  static All& all = *new All;
  return all;
}

WorkerPool::WorkerPool(std::string name, std::size_t max_threads, std::size_t max_queue, SlowJobs slow)
    : name_(std::move(name)), max_threads_(max_threads), max_queue_(max_queue), slow_(slow) {
  Starter::get();
  const std::lock_guard lock(all().mutex);
  all().pools.push_back(this);
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(all().mutex);
    std::erase(all().pools, this);
  }
  stop();
}

WorkerPool::Reading WorkerPool::read() {
  const std::lock_guard lock(mutex_);
  return {name_, queue_.size(), threads_.size(), threads_.size() - std::min(idle_, threads_.size()), wait_.read()};
}

std::vector<WorkerPool::Reading> WorkerPool::read_all() {
  std::vector<Reading> found;
  const std::lock_guard lock(all().mutex);
  for (auto* const pool : all().pools) {
    auto reading = pool->read();
    const auto same = std::ranges::find(found, reading.name, &Reading::name);
    if (same == found.end()) {
      found.push_back(std::move(reading));
      continue;
    }
    same->queued += reading.queued;
    same->threads += reading.threads;
    same->busy += reading.busy;
    same->wait += reading.wait;
  }
  return found;
}

bool WorkerPool::submit(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= max_queue_ || !ensure_thread()) return false;
    queue_.push_back({std::move(job), Clock::now()});
  }
  wake_.notify_one();
  return true;
}

void WorkerPool::submit_cleanup(Job job) {
  std::unique_lock lock(mutex_);
  if (stopping_ || !ensure_thread()) {
    lock.unlock();
    return job();  // no thread of the pool will: releasing on this one beats leaking
  }
  queue_.push_back({std::move(job), Clock::now()});
  lock.unlock();
  wake_.notify_one();
}

std::size_t WorkerPool::places() const {
  std::size_t slow = 0;
  const auto border = Clock::now() - slow_.after;
  for (auto since = running_since_.begin(); slow < slow_.most && since != running_since_.end(); ++since) {
    if (*since > border) break;
    ++slow;
  }
  return max_threads_ + aside_ + slow;
}

// Starts one more thread when those that are idle are all spoken for. False when there is none at all. Where slow jobs
// may lose their places one thread more waits for that.
bool WorkerPool::ensure_thread() {
  const auto number = threads_.size();
  if (idle_ > queue_.size() || number >= places() + (slow_.most > 0 ? 1 : 0)) return true;
  try {
    threads_.push_back(Starter::get().start([this, number] {
      set_thread_name(name_ + "-" + std::to_string(number));
      prefer_short_slices(limits::kShortSlice);
      own_pool = this;
      run();
    }));
    short_of_threads_ = false;
  } catch (const std::system_error& error) {
    if (!std::exchange(short_of_threads_, true)) {
      log::error("workers", "",
                 "pool " + name_ + " has " + std::to_string(number) + " threads and cannot start another: " +
                     error.what() + "; raise the limit of tasks of the service");
    }
  }
  return !threads_.empty();
}

void WorkerPool::run() {
  std::list<Clock::time_point> own(1);  // goes to and fro, so that no job needs memory
  const auto since = own.begin();
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    while (queue_.empty() ? !stopping_ : !has_place()) {
      if (queue_.empty() || slow_.most == 0) {
        wake_.wait(lock);
      } else {
        wake_.wait_for(lock, slow_.after);
      }
    }
    --idle_;
    if (queue_.empty()) {
      wake_.notify_all();  // those who had no place
      return;
    }
    auto [job, submitted] = std::move(queue_.front());
    queue_.pop_front();
    *since = Clock::now();
    running_since_.splice(running_since_.end(), own);
    if (slow_.most > 0 && !queue_.empty() && !stopping_) (void)ensure_thread();
    lock.unlock();
    wait_.add(*since - submitted);
    job();
    job = nullptr;  // destroy what it holds outside the lock
    lock.lock();
    own.splice(own.begin(), running_since_, since);
  }
}

WorkerPool::Aside::Aside() : pool_(own_pool) {
  if (pool_ == nullptr) return;
  {
    const std::lock_guard lock(pool_->mutex_);
    ++pool_->aside_;
    if (!pool_->stopping_ && !pool_->queue_.empty()) (void)pool_->ensure_thread();
  }
  pool_->wake_.notify_one();
}

// Until the next job ends there may be one more than there are places: going on at once matters more.
WorkerPool::Aside::~Aside() {
  if (pool_ == nullptr) return;
  const std::lock_guard lock(pool_->mutex_);
  --pool_->aside_;
}

void WorkerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

}  // namespace host::core
