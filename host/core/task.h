// SPDX-License-Identifier: Apache-2.0
//
// Coroutines for conversations with a peer: a Task starts when it is awaited and gives its value to who awaits it. One
// thread at a time; whoever holds a Task owns its frame, and destroying it destroys what it awaits.
#pragma once

#include <coroutine>
#include <cstdlib>
#include <optional>
#include <utility>

namespace host::core {

template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type {  // NOLINT(readability-identifier-naming): the language wants this name
    std::optional<T> value;
    std::coroutine_handle<> awaited_by;

    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        const auto next = self.promise().awaited_by;
        return next ? next : std::noop_coroutine();
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void return_value(T result) { value = std::move(result); }
    void unhandled_exception() { std::abort(); }  // errors are values on the data path
  };

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  Task() = default;
  ~Task() {
    if (frame_) frame_.destroy();
  }

  // For the outermost one, which nobody awaits.
  void start() { frame_.resume(); }
  bool done() const { return frame_ && frame_.done(); }
  const T& value() const { return *frame_.promise().value; }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> by) noexcept {
    frame_.promise().awaited_by = by;
    return frame_;
  }
  T await_resume() { return std::move(*frame_.promise().value); }

 private:
  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

}  // namespace host::core
