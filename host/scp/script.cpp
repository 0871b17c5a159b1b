// SPDX-License-Identifier: Apache-2.0
//
// An answer is one byte, 0 for yes; 1 refuses one file with a line of text, and the next may follow. Whatever else
// comes ends the conversation. Only a copy that went through whole leaves a line of its command in the log.
#include "host/scp/script.h"

#include "host/core/limits.h"

namespace host::scp {

core::Task<int> Script::talk() {
  const int status = co_await copy();
  if (status == 0) fs_->note_command(arguments_.line, core::VirtualPath::clean(arguments_.paths.front().text));
  co_return status;
}

core::Task<Script::Answer> Script::answer() {
  const auto bytes = co_await data();
  if (bytes.empty()) co_return Answer::kEnd;
  const char kind = static_cast<char>(bytes.front());
  consume(1);
  if (kind == '\0') co_return Answer::kOk;
  if (kind != '\1') co_return Answer::kEnd;
  warned_ = true;
  const auto text = co_await line(core::limits::kMaxConversationLine);
  co_return text ? Answer::kRefused : Answer::kEnd;
}

core::Task<bool> Script::paid(vfs::Flow* flow, std::size_t bytes) {
  if (flow == nullptr) co_return true;
  while (const auto when = flow->pay(static_cast<std::int64_t>(bytes), now())) co_await until(*when);
  co_return true;
}

void Script::warn(const core::VirtualPath& path, std::string_view why) {
  warned_ = true;
  say(warning(path.str(), why));
}

int Script::fail(std::string_view why) {
  say(fatal(why));
  return 1;
}

}  // namespace host::scp
