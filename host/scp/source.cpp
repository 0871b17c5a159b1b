// SPDX-License-Identifier: Apache-2.0
//
// Files are read where they are in memory already on the I/O thread, else on workers, never more than what is about to
// be sent. Links are followed, as scp does.
#include "host/scp/source.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "host/core/limits.h"
#include "host/scp/wildcards.h"

namespace host::scp {
namespace {

using core::Attrs;
using core::Result;
using core::Status;
using core::VirtualPath;

constexpr std::uint32_t kEntriesAtOnce = 256;

}  // namespace

core::Task<int> Source::copy() {
  if (const auto ready = co_await answer(); ready != Answer::kOk) co_return 1;
  for (const auto& word : arguments_.paths) {
    if (VirtualPath::has_nul(word.text) || word.text.size() > core::limits::kMaxPathBytes)
      co_return fail("invalid path");
    std::vector<VirtualPath> paths = {VirtualPath::clean(word.text)};
    if (word.has_wildcard) {
      auto expand = [this, &word] { return expand_wildcards(*fs_, VirtualPath::clean(word.pattern)); };
      auto found = co_await work(pool(VirtualPath()), expand);
      if (!found) co_return fail(core::describe(found.error().status));
      if (!found->empty()) paths = std::move(*found);
    }
    for (const auto& path : paths) {
      const bool go_on = co_await send(path, 0);
      if (!go_on) co_return 1;
    }
  }
  co_return status();
}

core::Task<bool> Source::send(VirtualPath path, std::size_t depth) {
  co_await room();  // before warnings, too
  auto look = [this, &path] { return fs_->stat(path, true); };
  auto found = co_await work(pool(path), look);
  Attrs attrs;
  if (found) {
    attrs = *found;
  } else if (found.error().status == Status::kDenied) {
    attrs.type = core::FileType::kFile;  // one may download without seeing
  } else {
    warn(path, found.error());
    co_return true;
  }
  switch (attrs.type) {
    case core::FileType::kFile: co_return co_await send_file(std::move(path), attrs);
    case core::FileType::kDir:
      if (arguments_.recursive) co_return co_await send_directory(std::move(path), attrs, depth);
      [[fallthrough]];
    default: warn(path, "not a regular file");
  }
  co_return true;
}

core::Task<Script::Answer> Source::propose(const Attrs& attrs, std::string line) {
  if (arguments_.preserve && attrs.has(Attrs::kMtime)) {
    say(times_line(attrs));
    const auto answered = co_await answer();
    if (answered != Answer::kOk) co_return answered;
  }
  say(line);
  co_return co_await answer();
}

core::Task<bool> Source::send_file(VirtualPath path, Attrs attrs) {
  vfs::OpenRequest request;
  request.read = true;
  auto open = [this, &path, &request, &attrs]() -> Result<std::unique_ptr<vfs::OpenFile>> {
    auto opened = fs_->open(path, request);
    if (!opened) return opened;
    auto size = (*opened)->size();
    if (!size) return size.error();
    attrs.size = *size;
    return opened;
  };
  auto file = co_await work(pool(path), open);
  if (!file) {
    warn(path, file.error());
    co_return true;
  }
  const auto proposed = co_await propose(attrs, file_line(attrs, path.name()));
  auto outcome = core::ok();
  bool go_on = proposed != Answer::kEnd;
  if (proposed == Answer::kOk) go_on = co_await send_data(**file, attrs.size, outcome);
  auto close = [&file, lost = !go_on] { return (*file)->close(lost); };
  const auto closed = co_await last_work(pool(path), close);
  if (!go_on || proposed != Answer::kOk) co_return go_on;
  if (outcome && !closed) outcome = closed;
  if (outcome) {
    say_ok();
  } else {
    warn(path, outcome.error());
  }
  const auto received = co_await answer();
  co_return received != Answer::kEnd;
}

// The client waits for exactly `size` bytes: what cannot be read is made up, and the warning behind it says so.
core::Task<bool> Source::send_data(vfs::OpenFile& file, std::uint64_t size, Result<void>& outcome) {
  std::uint64_t offset = 0;
  const auto& limit = fs_->identity().throttle.download;
  const auto flow = limit ? std::make_unique<vfs::Flow>(limit) : nullptr;
  while (offset < size) {
    co_await room();
    if (gone()) co_return false;
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(size - offset, core::limits::kMaxReadBytes));
    (void)co_await paid(flow.get(), want);
    core::Block block = core::Block::take(want);
    const auto room_of = block.room().first(want);
    Result<std::size_t> got = outcome ? file.try_read_at(room_of, offset) : Result<std::size_t>(std::size_t{0});
    if (outcome && !got) {
      auto read = [&file, room_of, offset] { return file.read_at(room_of, offset); };
      got = co_await work(file.pool(), read);
    }
    if (outcome && !got) outcome = got.error();
    if (outcome && *got == 0) outcome = core::Error(Status::kIo, "the file has shrunk");
    std::size_t count = outcome ? *got : want;
    if (!outcome) std::memset(room_of.data(), 0, want);
    block.grow(count);
    offset += count;
    say(std::move(block));
  }
  co_return true;
}

core::Task<bool> Source::send_directory(VirtualPath path, Attrs attrs, std::size_t depth) {
  if (depth >= core::limits::kMaxScpDepth) {
    warn(path, "too many directories in each other");
    co_return true;
  }
  // The root has no name that a client would take: what is in it goes without it.
  if (path.is_root()) co_return co_await send_entries(path, depth);
  const auto proposed = co_await propose(attrs, directory_line(attrs, path.name()));
  if (proposed != Answer::kOk) co_return proposed != Answer::kEnd;
  const bool go_on = co_await send_entries(path, depth);
  if (!go_on) co_return false;
  say("E\n");
  const auto left = co_await answer();
  co_return left != Answer::kEnd;
}

core::Task<bool> Source::send_entries(VirtualPath path, std::size_t depth) {
  auto open = [this, &path] { return fs_->open_dir(path); };
  auto dir = co_await work(pool(path), open);
  if (!dir) {
    warn(path, dir.error());
    co_return true;
  }
  const bool go_on = co_await send_all(path, **dir, depth);
  auto release = [&dir] {
    dir->reset();
    return core::ok();
  };
  (void)co_await last_work(pool(path), release);
  co_return go_on;
}

core::Task<bool> Source::send_all(const VirtualPath& path, vfs::OpenDir& dir, std::size_t depth) {
  for (bool at_end = false; !at_end;) {
    std::vector<std::string> names;
    auto next = [&dir, &names] {
      return dir.next(kEntriesAtOnce, [&names](std::string_view name, const Attrs&) {
        names.emplace_back(name);
        return true;
      });
    };
    auto step = co_await work(pool(path), next);
    if (!step) {
      warn(path, step.error());
      co_return true;
    }
    at_end = *step;
    for (const auto& name : names) {
      if (name == "." || name == "..") continue;
      if (name.find('\n') != std::string::npos) {
        warn(path.child(name), "a name that scp cannot tell");
        continue;
      }
      const bool go_on = co_await send(path.child(name), depth + 1);
      if (!go_on) co_return false;
    }
  }
  co_return true;
}

}  // namespace host::scp
