// SPDX-License-Identifier: Apache-2.0
//
// md5sum and its relatives, cd and pwd. Answers and complaints are those of the replaced system, on standard output.
#include "host/commands/channel.h"

#include <memory>
#include <string>
#include <utility>

#include "host/commands/digest.h"
#include "host/core/conversation.h"
#include "host/core/limits.h"

namespace host::commands {
namespace {

using core::Result;
using core::VirtualPath;

// Read and summed up in one go on a worker, so that others get their turn on it.
constexpr std::uint64_t kBytesAtOnce = 4 * 1024 * 1024;

class Command final : public core::Conversation {
 public:
  Command(std::shared_ptr<vfs::SessionFs> fs, std::string line, std::vector<core::ShellWord> words, Hooks hooks)
      : Conversation(std::move(hooks)), fs_(std::move(fs)), line_(std::move(line)), words_(std::move(words)) {}

 private:
  core::Task<int> talk() override;
  core::Task<int> run();
  core::Task<int> sum_input();
  core::Task<bool> sum_file(std::string name);
  core::Task<Result<std::string>> digest_of(VirtualPath path);

  const std::shared_ptr<vfs::SessionFs> fs_;
  const std::string line_;
  const std::vector<core::ShellWord> words_;
};

core::Task<int> Command::talk() {
  const int status = co_await run();
  if (status == 0) fs_->note_command(line_, words_.size() > 1 ? VirtualPath::clean(words_.back().text) : VirtualPath());
  co_return status;
}

core::Task<int> Command::run() {
  const auto& name = words_.front().text;
  if (name == "cd") co_return 0;
  if (name == "pwd") {
    say("/\n");
    co_return 0;
  }
  if (!Digest(name).valid()) {  // a policy of the crypto library may forbid it
    say(name + ": not available here\n");
    co_return 1;
  }
  if (words_.size() == 1) co_return co_await sum_input();
  int status = 0;
  for (std::size_t i = 1; i < words_.size(); ++i) {
    const bool done = co_await sum_file(words_[i].text);
    if (!done) status = 1;
  }
  co_return status;
}

core::Task<int> Command::sum_input() {
  Digest digest(words_.front().text);
  for (;;) {
    const auto bytes = co_await data();
    if (bytes.empty()) break;
    auto update = [&digest, bytes] {
      digest.update(bytes);
      return core::ok();
    };
    const auto done = co_await work(fs_->pool(VirtualPath()), update);
    if (!done) co_return 1;
    consume(bytes.size());
  }
  say(digest.hex() + "  -\n");
  co_return 0;
}

core::Task<bool> Command::sum_file(std::string name) {
  const auto path = VirtualPath::clean(name);
  const auto sum = co_await digest_of(path);
  co_await room();
  if (sum) {
    say(*sum + "  " + path.str() + "\n");
  } else {
    say(words_.front().text + ": " + path.str() + " " + std::string(core::describe(sum.error().status)) + "\n");
  }
  co_return sum.has_value();
}

core::Task<Result<std::string>> Command::digest_of(VirtualPath path) {
  if (VirtualPath::has_nul(path.str()) || path.str().size() > core::limits::kMaxPathBytes)
    co_return core::Error(core::Status::kInvalid);
  Digest digest(words_.front().text);
  vfs::OpenRequest request;
  request.read = request.digest = true;
  auto open = [this, &path, &request] { return fs_->open(path, request); };
  auto file = co_await work(fs_->pool(path), open);
  if (!file) co_return file.error();
  std::uint64_t offset = 0;
  Result<bool> more = true;
  while (more && *more && !gone()) {
    auto step = [&file, &digest, &offset]() -> Result<bool> {
      core::Block block = core::Block::take(core::limits::kMaxReadBytes);
      for (const auto end = offset + kBytesAtOnce; offset < end;) {
        auto got = (*file)->read_at(block.room(), offset);
        if (!got) return got.error();
        if (*got == 0) return false;
        digest.update(block.room().first(*got));
        offset += *got;
      }
      return true;
    };
    more = co_await work((*file)->pool(), step);
  }
  auto close = [&file] { return (*file)->close(false); };
  const auto closed = co_await last_work(fs_->pool(path), close);
  if (!more) co_return more.error();
  if (!closed) co_return closed.error();
  co_return digest.hex();
}

}  // namespace

bool knows(std::string_view name) { return name == "cd" || name == "pwd" || is_digest_program(name); }

std::shared_ptr<core::Channel> make_channel(std::shared_ptr<vfs::SessionFs> fs, std::string line,
                                            std::vector<core::ShellWord> words, core::Channel::Hooks hooks) {
  return std::make_shared<Command>(std::move(fs), std::move(line), std::move(words), std::move(hooks));
}

}  // namespace host::commands
