// SPDX-License-Identifier: Apache-2.0
//
// When the script goes on: after input, when output has gone, when a worker is done. Only from fill() and on_worked(),
// never from within a callback of the transport.
#include "host/core/conversation.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "host/core/limits.h"

namespace host::core {

bool Conversation::ready() const { return input_.size() < limits::kMaxConversationInput; }

void Conversation::on_data(std::span<const std::byte> data) {
  if (script_.done()) return;
  while (!data.empty()) {
    const auto part = data.first(std::min(data.size(), limits::kBlockBytes / 4));
    std::memcpy(input_.reserve(part.size()).data(), part.data(), part.size());
    input_.commit(part.size());
    data = data.subspan(part.size());
  }
}

void Conversation::fill(std::size_t) {
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

void Conversation::advance() {
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

void Conversation::suspend(std::coroutine_handle<> script, Condition* condition) {
  suspended_ = script;
  waits_for_ = condition;
}

void Conversation::on_worked() {
  working_ = false;
  if (abandoned_) {
    end_script();
    return;
  }
  advance();
  if (const auto wake = wake_) wake();  // a copy: it may end in abandon()
}

void Conversation::say(std::string_view bytes) {
  std::memcpy(output_.reserve(bytes.size()).data(), bytes.data(), bytes.size());
  output_.commit(bytes.size());
}

bool Conversation::Room::met() const { return self.output_.size() <= limits::kConversationOutput; }

bool Conversation::Line::met() {
  std::array<std::byte, limits::kMaxConversationLine> buffer;
  const auto seen = self.input_.empty() ? std::span<const std::byte>() : self.input_.gather(buffer);
  const auto end = std::find(seen.begin(), seen.end(), std::byte{'\n'});
  length = static_cast<std::size_t>(end - seen.begin());
  return end != seen.end() || length >= std::min(max, limits::kMaxConversationLine) || self.input_ended_;
}

std::optional<std::string> Conversation::Line::take() {
  if (length > max || length >= self.input_.size()) return std::nullopt;
  std::array<std::byte, limits::kMaxConversationLine> buffer;
  const auto seen = self.input_.gather(buffer);
  if (length >= seen.size()) return std::nullopt;
  std::string text(reinterpret_cast<const char*>(seen.data()), length);
  self.input_.consume(length + 1);
  return text;
}

void Conversation::abandon() {
  if (abandoned_.exchange(true)) return;
  wake_ = nullptr;
  output_.clear();
  if (!working_) end_script();
}

// What is still open is closed as lost, which may block.
void Conversation::end_script() {
  waits_for_ = nullptr;
  suspended_ = nullptr;
  if (pool_ == nullptr) {
    script_ = {};
  } else {
    pool_->submit_cleanup([self = self()] { self->script_ = {}; });
  }
}

}  // namespace host::core
