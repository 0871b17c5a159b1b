// SPDX-License-Identifier: Apache-2.0
//
// When the script goes on: after input, when output has gone, when a worker is done. Only from fill() and on_worked(),
// never from within a callback of the transport.
#include "host/core/scripted_channel.h"

#include <algorithm>
#include <cstring>

#include "host/core/limits.h"

namespace host::core {

bool ScriptedChannel::ready() const { return input_.size() < limits::kMaxConversationInput; }

void ScriptedChannel::on_data(std::span<const std::byte> data) {
  if (script_.done()) return;
  while (!data.empty()) {
    const auto part = data.first(std::min(data.size(), limits::kBlockBytes / 4));
    std::memcpy(input_.reserve(part.size()).data(), part.data(), part.size());
    input_.commit(part.size());
    data = data.subspan(part.size());
  }
}

void ScriptedChannel::fill(std::size_t) {
  if (abandoned_) return;
  const bool was_ready = ready();
  advance();
  // The transport may ask ready() before it fills: tell it once more.
  if (!was_ready && ready()) {
    post_([self = self()] {
      if (const auto wake = self->wake_) wake();  // a copy: it may end in abandon()
    });
  }
}

void ScriptedChannel::advance() {
  if (!started_) {
    started_ = true;
    script_ = talk();
    script_.start();
  }
  while (!working_ && waits_for_ != nullptr && waits_for_->met()) {
    waits_for_ = nullptr;
    std::exchange(suspended_, nullptr).resume();
  }
}

void ScriptedChannel::suspend(std::coroutine_handle<> script, Condition* condition) {
  suspended_ = script;
  waits_for_ = condition;
}

bool ScriptedChannel::wait_for_job(WorkerPool& pool, WorkerPool::Job job, bool must) {
  pool_ = &pool;
  working_ = true;
  auto whole = [self = self(), job = std::move(job)] {
    job();
    self->post_([self] { self->on_worked(); });
  };
  if (must) {
    pool.submit_cleanup(std::move(whole));
  } else if (!pool.submit(std::move(whole))) {
    working_ = false;
    waits_for_ = nullptr;
  }
  return working_;
}

void ScriptedChannel::on_worked() {
  working_ = false;
  if (abandoned_) {
    end_script();
    return;
  }
  advance();
  if (const auto wake = wake_) wake();  // a copy: it may end in abandon()
}

void ScriptedChannel::abandon() {
  if (abandoned_.exchange(true)) return;
  wake_ = nullptr;
  output_.clear();
  if (!working_) end_script();
}

// What is still open is closed as lost, which may block.
void ScriptedChannel::end_script() {
  waits_for_ = nullptr;
  suspended_ = nullptr;
  if (pool_ == nullptr) {
    script_ = {};
  } else {
    pool_->submit_cleanup([self = self()] { self->script_ = {}; });
  }
}

}  // namespace host::core
