// SPDX-License-Identifier: Apache-2.0
//
// What a script may wait for without holding a thread, and say at once: the vocabulary of protocols that are a
// conversation. Used on the channel's I/O thread, except for what is given to work().
#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "host/core/result.h"
#include "host/core/scripted_channel.h"

namespace host::core {

class Conversation : public ScriptedChannel {
 protected:
  using ScriptedChannel::ScriptedChannel;

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
  // All that the peer had to say was taken.
  bool input_over() const { return input_ended_ && input_.empty(); }

 private:
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
    bool met() const { return self.now() >= when; }
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
      if (self_.wait_for_job(
              pool_, [this] { value_.emplace(function_()); }, must_))
        return true;
      value_.emplace(Status::kBusy);
      return false;  // goes on at once
    }
    Value await_resume() { return std::move(*value_); }

   private:
    Conversation& self_;
    WorkerPool& pool_;
    F function_;
    const bool must_;
    std::optional<Value> value_;
  };
};

}  // namespace host::core
