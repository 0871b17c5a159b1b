// SPDX-License-Identifier: Apache-2.0
//
// A channel that is served by one coroutine, the script: what it has received and has to send, when it goes on, and how
// it ends. It runs on the channel's I/O thread and is destroyed on a worker, since what it holds may block to be let
// go.
#pragma once

#include <atomic>
#include <coroutine>
#include <functional>
#include <memory>
#include <utility>

#include "host/core/channel.h"
#include "host/core/task.h"
#include "host/core/worker_pool.h"

namespace host::core {

class ScriptedChannel : public Channel {
 public:
  bool ready() const override;
  void on_data(std::span<const std::byte> data) override;
  void on_eof() override { input_ended_ = true; }
  BlockQueue& output() override { return output_; }
  void fill(std::size_t budget) override;
  bool failed() const override { return false; }
  bool finished() const override { return script_.done() && output_.empty(); }
  int exit_status() const override { return script_.done() ? script_.value() : 1; }
  bool receiving_upload() const override { return taking_data_; }
  bool busy() const override { return started_ && !finished(); }
  Time next_turn() const override { return next_turn_; }
  void abandon() override;

 protected:
  explicit ScriptedChannel(Hooks hooks)
      : post_(std::move(hooks.post)), now_(std::move(hooks.now)), wake_(std::move(hooks.wake)) {}

  // The script; its value is the exit status.
  virtual Task<int> talk() = 0;

  // What the script waits for; lives in it.
  class Condition {
   public:
    virtual ~Condition() = default;
    virtual bool met() = 0;
  };
  void suspend(std::coroutine_handle<> script, Condition* condition);
  // Has a suspended script go on after `job` has run on a worker. False: the pool is full, and it does not wait. A job
  // that `must` run is not refused.
  bool wait_for_job(WorkerPool& pool, WorkerPool::Job job, bool must);

  Time now() const { return now_(); }
  // On a worker: the session is gone, give up.
  bool gone() const { return abandoned_.load(std::memory_order_relaxed); }

  BlockQueue input_, output_;
  Time next_turn_ = Time::max();  // when a script that waits for a time goes on
  bool input_ended_ = false;
  bool taking_data_ = false;

 private:
  std::shared_ptr<ScriptedChannel> self() { return std::static_pointer_cast<ScriptedChannel>(shared_from_this()); }
  void advance();
  void on_worked();
  void end_script();

  const std::function<void(std::function<void()>)> post_;
  const std::function<Time()> now_;
  std::function<void()> wake_;
  Task<int> script_;
  std::coroutine_handle<> suspended_;
  Condition* waits_for_ = nullptr;
  WorkerPool* pool_ = nullptr;  // the last that worked for the script
  std::atomic<bool> abandoned_ = false;
  bool started_ = false;
  bool working_ = false;  // a worker uses what the script holds
};

}  // namespace host::core
