// SPDX-License-Identifier: Apache-2.0
//
// A channel whose protocol is a conversation, written as one coroutine: it waits for the peer's bytes, for workers and
// for room to send without holding a thread. The script runs on the channel's I/O thread, except for what it gives to
// work(); it is destroyed on a worker, since what it holds may block to be let go.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "host/core/channel.h"
#include "host/core/result.h"
#include "host/core/task.h"
#include "host/core/worker_pool.h"

namespace host::core {

class Conversation : public Channel {
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
  explicit Conversation(Hooks hooks)
      : post_(std::move(hooks.post)), now_(std::move(hooks.now)), wake_(std::move(hooks.wake)) {}

  // The script; its value is the exit status.
  virtual Task<int> talk() = 0;

  // -- to be awaited, one at a time
  // A line without its end; nothing at the end of input, or when it is longer than `max`.
  auto line(std::size_t max) { return Wait<Line>(*this, Line{*this, max, 0}); }
  // The next bytes, as many as are there; empty at the end of input. Valid until consume().
  auto data() { return Wait<Data>(*this, Data{*this}); }
  // Until that time, by the hooks' clock.
  auto until(Time when) { return Wait<Until>(*this, Until{*this, when}); }
  // Until little is left to be sent.
  auto room() { return Wait<Room>(*this, Room{*this}); }
  // Runs on a worker a function that gives a Result; kBusy when the pool is full.
  template <class F>
  auto work(WorkerPool& pool, F function) {
    return Work<F>(*this, pool, std::move(function), false);
  }
  // The same for what must not be refused: closing.
  template <class F>
  auto last_work(WorkerPool& pool, F function) {
    return Work<F>(*this, pool, std::move(function), true);
  }

  // -- at once
  void consume(std::size_t bytes) { input_.consume(bytes); }
  void say(std::string_view bytes);
  void say(Block block) { output_.append(std::move(block)); }
  void taking_data(bool on) { taking_data_ = on; }
  Time now() const { return now_(); }
  // All that the peer had to say was taken.
  bool input_over() const { return input_ended_ && input_.empty(); }
  // On a worker: the session is gone, give up.
  bool gone() const { return abandoned_.load(std::memory_order_relaxed); }

 private:
  class Condition {
   public:
    virtual ~Condition() = default;
    virtual bool met() = 0;
  };
  struct Line {
    Conversation& self;
    std::size_t max, length;
    bool met();
    std::optional<std::string> take();
  };
  struct Data {
    Conversation& self;
    bool met() const { return !self.input_.empty() || self.input_ended_; }
    std::span<const std::byte> take() const {
      return self.input_.empty() ? std::span<const std::byte>() : self.input_.front();
    }
  };
  struct Room {
    Conversation& self;
    bool met() const;
    void take() const {}
  };
  struct Until {
    Conversation& self;
    Time when;
    bool met() const { return self.now_() >= when; }
    void take() const { self.next_turn_ = Time::max(); }
  };
  template <class What>
  class Wait final : public Condition {
   public:
    Wait(Conversation& self, What what) : self_(self), what_(std::move(what)) {}
    bool met() override { return what_.met(); }
    bool await_ready() { return met(); }
    void await_suspend(std::coroutine_handle<> script) {
      if constexpr (std::is_same_v<What, Until>) self_.next_turn_ = what_.when;
      self_.suspend(script, this);
    }
    auto await_resume() { return what_.take(); }

   private:
    Conversation& self_;
    What what_;
  };
  template <class F>
  class Work final : public Condition {
   public:
    using Value = std::invoke_result_t<F>;
    Work(Conversation& self, WorkerPool& pool, F function, bool must)
        : self_(self), pool_(pool), function_(std::move(function)), must_(must) {}
    bool met() override { return value_.has_value(); }
    bool await_ready() const { return false; }
    bool await_suspend(std::coroutine_handle<> script) {
      self_.suspend(script, this);
      self_.pool_ = &pool_;
      self_.working_ = true;
      auto job = [this, self = self_.self()] {
        value_.emplace(function_());
        self->post_([self] { self->on_worked(); });
      };
      if (must_) {
        pool_.submit_cleanup(std::move(job));
      } else if (!pool_.submit(std::move(job))) {
        self_.working_ = false;
        self_.waits_for_ = nullptr;
        value_.emplace(Status::kBusy);
        return false;  // goes on at once
      }
      return true;
    }
    Value await_resume() { return std::move(*value_); }

   private:
    Conversation& self_;
    WorkerPool& pool_;
    F function_;
    const bool must_;
    std::optional<Value> value_;
  };

  std::shared_ptr<Conversation> self() { return std::static_pointer_cast<Conversation>(shared_from_this()); }
  void suspend(std::coroutine_handle<> script, Condition* condition);
  void advance();
  void on_worked();
  void end_script();

  const std::function<void(std::function<void()>)> post_;
  const std::function<Time()> now_;
  std::function<void()> wake_;
  BlockQueue input_, output_;
  Task<int> script_;
  std::coroutine_handle<> suspended_;
  Condition* waits_for_ = nullptr;  // lives in the script
  WorkerPool* pool_ = nullptr;      // the last that worked for the script
  Time next_turn_ = Time::max();
  std::atomic<bool> abandoned_ = false;
  bool started_ = false;
  bool working_ = false;  // a worker uses what the script holds
  bool input_ended_ = false;
  bool taking_data_ = false;
};

}  // namespace host::core
