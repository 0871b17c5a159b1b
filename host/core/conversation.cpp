// SPDX-License-Identifier: Apache-2.0
//
// met() is asked again whenever something has come or gone, so it takes nothing; take() does, once.
#include "host/core/conversation.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "host/core/limits.h"

namespace host::core {

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

}  // namespace host::core
