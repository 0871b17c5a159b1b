// SPDX-License-Identifier: Apache-2.0
//
// A file that fails is answered with a warning and its data is read over, so that the next one can come. While a worker
// writes, the next bytes are taken in.
#include "host/scp/sink.h"

#include <algorithm>
#include <utility>

#include "host/core/limits.h"

namespace host::scp {
namespace {

using core::Attrs;
using core::Result;
using core::Status;
using core::VirtualPath;

constexpr std::size_t kMaxDepth = core::limits::kMaxScpDepth;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

// Rights over attributes are a matter of the account, not a failure of the copy.
bool matters(const Result<void>& set) {
  return !set && set.error().status != Status::kDenied && set.error().status != Status::kUnsupported;
}

}  // namespace

core::Task<int> Sink::copy() {
  const std::string& text = arguments_.paths.front().text;
  target_ = VirtualPath::clean(text);
  if (VirtualPath::has_nul(text) || text.size() > core::limits::kMaxPathBytes) co_return fail("invalid path");
  auto look = [this] { return fs_->stat(target_, true); };
  const auto found = co_await work(pool(target_), look);
  const bool is_directory = found && found->type == core::FileType::kDir;
  if (arguments_.must_be_directory && !is_directory) co_return fail(target_.str() + ": not a directory");
  into_target_ = is_directory || text.ends_with('/');
  say_ok();
  for (;;) {
    co_await room();  // a client that does not read its answers gets no more of them
    auto message = co_await line(core::limits::kMaxConversationLine);
    if (!message && input_over()) co_return levels_.empty() ? status() : 1;
    if (!message) co_return fail("endless message");
    const auto next = co_await take_message(std::move(*message));
    if (next == Next::kEnd) co_return 1;
  }
}

core::Task<Sink::Next> Sink::take_message(std::string message) {
  const char kind = message.empty() ? '\0' : message.front();
  const std::string rest = message.empty() ? message : message.substr(1);
  switch (kind) {
    case '\1':  // the client could not read a file
      warned_ = true;
      co_return Next::kGoOn;
    case '\2': co_return Next::kEnd;
    case 'E': co_return co_await leave_directory();
    case 'T':
      times_ = parse_times(rest);
      if (!times_) co_return broken("malformed times");
      say_ok();
      co_return Next::kGoOn;
    case 'C':
    case 'D': {
      auto entry = parse_entry(rest);
      if (!entry) co_return broken("malformed or forbidden name");
      if (kind == 'C') co_return co_await receive_file(std::move(*entry));
      co_return co_await enter_directory(std::move(*entry));
    }
    default: co_return broken("unknown message");
  }
}

Sink::Next Sink::broken(std::string_view why) {
  fail(why);
  return Next::kEnd;
}

VirtualPath Sink::path_of(const std::string& name) const {
  if (!levels_.empty()) return levels_.back().path.child(name);
  return into_target_ ? target_.child(name) : target_;
}

// Without -p the permissions of something new are those of the source less the umask; with it they are exact.
Attrs Sink::attrs_of(std::uint32_t perms, const std::optional<Times>& times) const {
  Attrs attrs;
  if (!arguments_.preserve) return attrs;
  attrs.valid = Attrs::kPerms;
  attrs.perms = perms;
  if (times) {
    attrs.valid |= Attrs::kMtime | Attrs::kAtime;
    attrs.mtime_ns = times->mtime_s * kNsPerSecond;
    attrs.atime_ns = times->atime_s * kNsPerSecond;
  }
  return attrs;
}

core::Task<Sink::Next> Sink::enter_directory(Entry entry) {
  if (!arguments_.recursive) co_return broken("a directory, without -r");
  if (levels_.size() >= kMaxDepth) co_return broken("too many directories in each other");
  const auto path = path_of(entry.name);
  if (path.str().size() > core::limits::kMaxPathBytes) co_return broken("path too long");
  auto make = [this, path, perms = entry.perms]() -> Result<void> {
    const auto found = fs_->stat(path, true);
    if (found && found->type == core::FileType::kDir) return core::ok();
    Attrs attrs;
    attrs.valid = Attrs::kPerms;
    attrs.perms = perms | 0700U;  // until it is filled
    return fs_->mkdir(path, attrs);
  };
  const auto made = co_await work(pool(path), make);
  const auto times = std::exchange(times_, std::nullopt);
  if (!made) {
    warn(path, made.error());
    co_return Next::kGoOn;  // the client leaves it out
  }
  levels_.push_back({path, entry.perms, times});
  say_ok();
  co_return Next::kGoOn;
}

core::Task<Sink::Next> Sink::leave_directory() {
  if (levels_.empty()) co_return broken("the end of no directory");
  const Level level = std::move(levels_.back());
  levels_.pop_back();
  const auto attrs = attrs_of(level.perms, level.times);
  if (attrs.valid != 0) {
    auto apply = [this, &level, &attrs] { return fs_->set_attrs(level.path, attrs, true); };
    const auto set = co_await work(pool(level.path), apply);
    if (matters(set)) {
      warn(level.path, set.error());
      co_return Next::kGoOn;
    }
  }
  say_ok();
  co_return Next::kGoOn;
}

core::Task<Sink::Next> Sink::receive_file(Entry entry) {
  const auto path = path_of(entry.name);
  if (path.str().size() > core::limits::kMaxPathBytes) co_return broken("path too long");
  const auto times = std::exchange(times_, std::nullopt);
  vfs::OpenRequest request;
  request.write = request.create = request.truncate = true;
  request.attrs.valid = Attrs::kPerms;
  request.attrs.perms = entry.perms;
  auto open = [this, &path, &request] { return fs_->open(path, request); };
  auto file = co_await work(pool(path), open);
  if (!file) {
    warn(path, file.error());
    co_return Next::kGoOn;  // the client leaves it out
  }
  say_ok();
  taking_data(true);
  auto received = co_await receive_data(**file, entry.size);
  taking_data(false);
  const auto whole = received ? co_await answer() : Answer::kEnd;
  if (!received && received.error().status != Status::kCancelled) (void)co_await answer();
  const bool lost = whole != Answer::kOk;
  auto finish = [&file, lost, attrs = attrs_of(entry.perms, times)]() -> Result<void> {
    if (!lost && attrs.valid != 0) {
      if (auto set = (*file)->set_attrs(attrs); matters(set)) {
        (void)(*file)->close(false);
        return set;
      }
    }
    return (*file)->close(lost);
  };
  const auto closed = co_await last_work(pool(path), finish);
  if (!received) {
    if (received.error().status == Status::kCancelled) co_return Next::kEnd;  // the client went away
    warn(path, received.error());
  } else if (whole == Answer::kEnd) {
    co_return Next::kEnd;
  } else if (!closed) {
    warn(path, closed.error());
  } else {
    say_ok();
  }
  co_return Next::kGoOn;
}

// kCancelled: the input ended. After another failure the rest was read over.
core::Task<Result<void>> Sink::receive_data(vfs::OpenFile& file, std::uint64_t size) {
  Result<void> result = core::ok();
  std::uint64_t offset = 0;
  const auto& limit = fs_->identity().throttle.upload;
  const auto flow = limit ? std::make_unique<vfs::Flow>(limit) : nullptr;
  while (offset < size) {
    auto bytes = co_await data();
    if (bytes.empty()) co_return Status::kCancelled;
    bytes = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), size - offset)));
    (void)co_await paid(flow.get(), bytes.size());
    if (result) {
      auto write = [&file, bytes, offset] { return file.write_at(bytes, offset); };
      result = co_await work(file.pool(), write);
    }
    consume(bytes.size());
    offset += bytes.size();
  }
  co_return result;
}

}  // namespace host::scp
