// SPDX-License-Identifier: Apache-2.0
//
// One open file from open to close: counts what moves, remembers the first failure, decides at the end between commit
// and abort, and writes the transfer line of a clean one. Runs on the storage's workers, try_read_at also on I/O
// threads. Rights were settled when the file was opened, except those for its attributes. Knows no protocol.
#include "host/vfs/transfer.h"

#include <algorithm>
#include <utility>

#include "host/core/block.h"
#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/core/metrics.h"
#include "host/vfs/journal.h"
#include "host/vfs/notices.h"
#include "host/vfs/set_attrs.h"

namespace host::vfs {
namespace {

using core::Status;
using plugin::FsCaps;

FsCaps caps_for(const FsCaps& mount, bool append) {
  FsCaps caps = mount;
  if (append) caps.flags &= ~std::uint64_t{FsCaps::kParallelIo | FsCaps::kNowaitWrite};
  return caps;
}

constexpr std::uint64_t kWatchedCopyBytes = 16 * 1024 * 1024;  // copied between two looks at the quota

bool overlap(std::uint64_t a, std::uint64_t b, std::uint64_t length) { return a < b ? b - a < length : a - b < length; }

}  // namespace

Transfer::Transfer(std::shared_ptr<const Context> context, core::VirtualPath path, std::unique_ptr<plugin::File> file,
                   std::unique_ptr<Upload> upload, const OpenPlan& plan)
    : context_(std::move(context)),
      path_(std::move(path)),
      place_(context_->mounts.resolve(path_)),
      plan_(plan),
      caps_(caps_for(place_.fs->caps(), plan.append)),
      file_(std::move(file)),
      upload_(std::move(upload)),
      ordered_(plan.writable && !caps_.has(FsCaps::kRandomWrite)),
      replaces_(plan.replaces) {
  if (plan.writable && caps_.has(FsCaps::kPublishOnClose)) unseen_.emplace(context_->unseen, path_, std::nullopt);
  constexpr std::uint32_t kBeginsEmpty = plugin::OpenArgs::kTruncate | plugin::OpenArgs::kExclusive;
  if (!ordered_ || (plan.flags & kBeginsEmpty) != 0) return;
  if (const auto there = file_->stat(context_->op())) {
    order_.skip(there->size);
  } else {
    (void)fail(there.error());  // nobody knows where writing would go on
  }
}

Transfer::~Transfer() {
  if (file_) (void)close(true);
}

core::Error Transfer::fail(const core::Error& error) {
  const std::lock_guard lock(mutex_);
  if (!failed_) {
    first_error_ = error;
    failed_ = true;
    if (plan_.silent) {
      journal::failure(*context_, verb(), place_, error);
    } else {
      journal::transfer_failure(*context_, verb(), place_, error);
    }
  }
  return error;
}

// What is listed is what is logged in the end: of a file that is written the bytes written, else those read.
void Transfer::count_read(std::uint64_t bytes) {
  read_.fetch_add(bytes, std::memory_order_relaxed);
  if (!plan_.writable) shown_.add(bytes);
}

void Transfer::count_written(std::uint64_t bytes) {
  written_.fetch_add(bytes, std::memory_order_relaxed);
  shown_.add(bytes);
}

Result<std::size_t> Transfer::read_at(std::span<std::byte> into, std::uint64_t offset) {
  if (!plan_.readable) return plan_.read_refusal;
  auto got = file_->read_at(context_->op(), into, offset);
  if (!got) return fail(got.error());
  count_read(*got);
  return got;
}

Result<std::size_t> Transfer::try_read_at(std::span<std::byte> into, std::uint64_t offset) {
  if (!plan_.readable || !caps_.has(FsCaps::kNowaitRead)) return Status::kWouldBlock;
  // Whatever goes wrong is found again by a worker, which may write log lines and look up paths.
  auto got = file_->read_at(context_->op_without_waiting(), into, offset);
  if (!got) return Status::kWouldBlock;
  count_read(*got);
  return got;
}

Result<void> Transfer::write_at(std::span<const std::byte> data, std::uint64_t offset) {
  if (!plan_.writable) return Status::kDenied;
  // After a failure the file is lost anyway; more writes would only delay the client's notice of it.
  if (failed_.load(std::memory_order_relaxed)) {
    const std::lock_guard lock(mutex_);
    return first_error_.status;
  }
  if (upload_) {
    auto room = plan_.append ? upload_->make_room_behind(data.size()) : upload_->make_room(offset + data.size());
    if (!room) return fail(room.error());
  }
  auto done = ordered_ ? write_in_order(data, offset) : file_->write_at(context_->op(), data, offset);
  if (!done) return fail(done.error());
  count_written(data.size());
  return done;
}

Result<Attrs> Transfer::stat() {
  if (auto allowed = context_->gate.check(Action::kStat, path_); !allowed) return allowed.error();
  auto attrs = file_->stat(context_->op());
  if (!attrs) journal::failure(*context_, "stat", place_, attrs.error());
  return attrs;
}

Result<void> Transfer::set_attrs(const Attrs& attrs) {
  // A handle on something else than a file can only be one opened to read, which gains nothing here.
  const AttrsTarget target{path_, caps_, plan_.writable, [] { return Result<bool>(false); }};
  if (attrs.has(Attrs::kSize) && !plan_.writable) return Status::kDenied;
  const bool anew = empties(attrs);
  const bool sized = anew || knows_size(attrs);
  Attrs wanted = attrs;
  if (sized) wanted.valid &= ~std::uint32_t{Attrs::kSize};
  auto permitted = permitted_attrs(*context_, target, wanted);
  if (!permitted) return permitted.error();
  auto done = permitted->valid == 0 ? core::ok() : apply(*permitted);
  if (done && anew) done = begin_anew();
  if (done && sized) has_size_ = true;
  return done;
}

Result<void> Transfer::apply(const Attrs& attrs) {
  if (upload_ && attrs.has(Attrs::kSize)) {
    if (auto room = upload_->make_room(attrs.size); !room) return room;
  }
  auto done = file_->set_attrs(context_->op(), attrs);
  if (!done) {
    journal::failure(*context_, "set attributes of", place_, done.error());
    return done;
  }
  if (replaces_) times_ = attrs;
  journal::attrs(*context_, place_, attrs);
  return done;
}

Result<void> Transfer::sync() {
  auto done = file_->sync(context_->op());
  // Data that did not reach the disk is a failed upload, even if the storage forgets about it afterwards.
  if (!done && plan_.writable && done.error().status != Status::kUnsupported) return fail(done.error());
  return done;
}

Result<plugin::StatVfs> Transfer::statvfs() {
  if (auto allowed = context_->gate.check(Action::kStat, path_); !allowed) return allowed.error();
  if (!caps_.statvfs) return Status::kUnsupported;
  auto space = place_.fs->statvfs(context_->op(), place_.path);
  if (!space) journal::failure(*context_, "statvfs of", place_, space.error());
  return space;
}

Result<std::uint64_t> Transfer::size() {
  auto attrs = file_->stat(context_->op());
  if (!attrs) return fail(attrs.error());
  return attrs->size;
}

Result<std::uint64_t> Transfer::copy_to(OpenFile& to, std::uint64_t from, std::uint64_t length, std::uint64_t at) {
  if (!plan_.readable) return plan_.read_refusal;
  if (!to.writable()) return Status::kDenied;
  auto* same_kind = dynamic_cast<Transfer*>(&to);
  const bool same_file = same_kind != nullptr && same_kind->path_ == path_;
  if (same_file && overlap(from, at, length)) return Status::kInvalid;
  if (same_kind != nullptr && caps_.copy_range && same_kind->place_.fs == place_.fs) {
    auto copied = copy_inside(*same_kind, from, length, at);
    if (copied || copied.error().status != Status::kUnsupported) return copied;
  }
  return copy_through(to, from, length, at);
}

// Inside the store: no byte passes through us.
Result<std::uint64_t> Transfer::copy_inside(Transfer& to, std::uint64_t from, std::uint64_t length, std::uint64_t at) {
  if (to.ordered_ && (at != to.order_.end() || to.order_.has_gap())) return Status::kUnsupported;
  if (to.upload_) {  // room is taken beforehand, for no more than there is to copy
    auto have = size();
    if (!have) return have;
    length = std::min(length, *have > from ? *have - from : 0);
  }
  std::uint64_t copied = 0;
  while (copied < length) {
    const auto want = to.upload_ ? std::min(length - copied, kWatchedCopyBytes) : length - copied;
    if (to.upload_) {
      if (auto room = to.upload_->make_room(at + copied + want); !room) return to.fail(room.error());
    }
    auto step = file_->copy_range(context_->op(), from + copied, want, *to.file_, at + copied);
    if (!step) {
      if (step.error().status == Status::kUnsupported && copied == 0) return step;
      return to.fail(step.error());
    }
    if (*step == 0) break;
    copied += *step;
    if (to.ordered_) to.order_.skip(*step);
  }
  count_read(copied);
  to.count_written(copied);
  return copied;
}

Result<std::uint64_t> Transfer::copy_through(OpenFile& to, std::uint64_t from, std::uint64_t length, std::uint64_t at) {
  core::Block block = core::Block::take(core::limits::kMaxReadBytes);
  std::uint64_t copied = 0;
  while (copied < length) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(length - copied, core::limits::kMaxReadBytes));
    const auto room = block.room().first(want);
    auto got = read_at(room, from + copied);
    if (!got) return got.error();
    if (*got == 0) break;
    if (auto done = to.write_at(room.first(*got), at + copied); !done) return done.error();
    copied += *got;
  }
  return copied;
}

void Transfer::log_transfer() const {
  const std::string real = place_.real_path();
  const auto elapsed = std::chrono::steady_clock::now() - opened_;
  core::log::Transfer line;
  line.sender = plan_.writable ? "Upload" : "Download";
  line.elapsed_ms = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count();
  line.size_bytes = bytes();
  line.username = context_->identity.user.username;
  line.file_path = real;
  line.connection_id = context_->identity.connection_id;
  line.protocol = context_->identity.protocol;
  core::log::transfer(line);
}

// Of an upload the whole file counts, also when this was the rest of it.
void Transfer::tell(bool good, std::optional<std::uint64_t> size) const {
  using events::Kind;
  const auto kind =
      plan_.writable ? (good ? Kind::kUpload : Kind::kUploadFailed) : (good ? Kind::kDownload : Kind::kDownloadFailed);
  notices::file(*context_, kind, path_, size.value_or(bytes()));
}

Result<void> Transfer::close(bool lost) {
  std::optional<std::uint64_t> size;
  if (plan_.writable && !plan_.silent && !lost && notices::wanted(*context_, events::Kind::kUpload)) {
    if (const auto attrs = file_->stat(context_->op())) size = attrs->size;
  }
  auto done = finish(lost);
  if (unseen_) {
    const Attrs late = unseen_->end();
    if (done && !lost) set_later(late, nullptr);
  }
  if (plan_.silent || unchanged_) return done;
  using core::metrics::Counter;
  const bool good = done && !lost;
  place_.fs->stats().note_transfer(context_->identity.protocol, plan_.writable, good, bytes());
  tell(good, size);
  if (plan_.writable) {
    core::metrics::add(good ? Counter::kUploads : Counter::kUploadErrors);
    core::metrics::add(Counter::kUploadBytes, bytes());
  } else {
    core::metrics::add(good ? Counter::kDownloads : Counter::kDownloadErrors);
    core::metrics::add(Counter::kDownloadBytes, bytes());
  }
  return done;
}

// What was set by name while the file had none: of the file, or, null, of what has the name now. Its client has had its
// answer, so that every failure is the operator's.
void Transfer::set_later(const Attrs& attrs, plugin::File* file) {
  if (attrs.valid == 0) return;
  const auto op = context_->op_to_the_end();
  const auto done = file ? file->set_attrs(op, attrs) : place_.fs->set_attrs(op, place_.path, true, attrs);
  if (!done) return journal::transfer_failure(*context_, "set attributes of", place_, done.error());
  if (replaces_) times_ = attrs;
  journal::attrs(*context_, place_, attrs);
}

Result<void> Transfer::finish(bool lost) {
  if (unseen_ && !lost && !failed_) set_later(unseen_->take_later(), file_.get());
  const std::unique_ptr<plugin::File> file = std::move(file_);
  if (!lost && !failed_ && order_.has_gap()) {
    (void)fail(core::Error(Status::kInvalid, "the file has a gap, which the storage cannot keep"));
  }
  if (!lost && !failed_) {
    const auto covers = covers_old_content();
    if (!covers) (void)fail(covers.error());
    unchanged_ = covers && !*covers;
  }
  const bool commit = !lost && !failed_ && !unchanged_;
  // A part must not take the place of a file that nobody emptied.
  const bool refused = failed_ && first_error_.status != Status::kCancelled;
  const auto part = refused ? Upload::Ending::kRefused : Upload::Ending::kLost;
  const auto broken = replaces_ ? Upload::Ending::kNothing : part;
  auto closed = upload_ ? upload_->close(*file, commit ? Upload::Ending::kWhole : broken)
                        : file->close(commit ? context_->op_to_the_end() : context_->op(), commit);
  if (failed_) return first_error_;
  if (lost) {
    std::string text(verb());
    text.append(" \"").append(place_.real_path()).append("\" interrupted after ").append(std::to_string(bytes()));
    journal::warn(*context_, text.append(" bytes"));
    return closed;
  }
  if (!closed) return fail(closed.error());
  if (unchanged_) return leave_as_it_is();
  if (!plan_.silent) log_transfer();
  return closed;
}

}  // namespace host::vfs
