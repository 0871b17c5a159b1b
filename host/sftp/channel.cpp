// SPDX-License-Identifier: Apache-2.0
//
// Bytes in, the limits that hold them back, and the end of a channel. On the I/O thread; nothing here blocks.
// Knows no SSH library: the transport calls in and is called back through two hooks.
#include "host/sftp/channel.h"

#include <utility>

#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/sftp/channel_impl.h"
#include "host/sftp/dispatch.h"

namespace host::sftp {

namespace limits = core::limits;

std::shared_ptr<Channel> Channel::create(std::shared_ptr<vfs::SessionFs> fs, Hooks hooks,
                                         std::shared_ptr<Usage> usage) {
  return std::make_shared<ChannelImpl>(std::move(fs), std::move(hooks), std::move(usage));
}

ChannelImpl::ChannelImpl(std::shared_ptr<vfs::SessionFs> fs, Hooks hooks, std::shared_ptr<Usage> usage,
                         Submit submitter)
    : side_(new WorkerSide{.fs = std::move(fs), .post = std::move(hooks.post), .abandoned = false, .names = {}}),
      usage_(std::move(usage)),
      wake_(std::move(hooks.wake)),
      alone_(std::move(hooks.alone)),
      submit_(submitter),
      now_(std::move(hooks.now)) {
  const auto& throttle = side_->fs->identity().throttle;
  if (throttle.upload || throttle.download) pacer_ = std::make_unique<Pacer>(handles_);
}

ChannelImpl::~ChannelImpl() { side_->abandoned.store(true, std::memory_order_relaxed); }

bool ChannelImpl::ready() const {
  return failed_ || (backlog_.empty() && held_bytes_ <= limits::kMaxQueuedRequestBytes && has_place() &&
                     usage_->request_bytes <= limits::kMaxSessionRequestBytes);
}

bool ChannelImpl::has_place() const { return held_requests_ <= limits::kMaxQueuedRequests; }

void ChannelImpl::on_data(std::span<const std::byte> data) {
  if (backlog_.empty()) parse(data);
  if (!failed_ && !abandoned_) backlog_.insert(backlog_.end(), data.begin(), data.end());
}

// The transport may bring a whole window at once. As requests, small packets take many times the memory they had as
// bytes: those that find no place stay bytes.
void ChannelImpl::parse(std::span<const std::byte>& data) {
  while (!failed_ && !abandoned_ && has_place()) {
    Input::Packet packet;
    const auto step = input_.next(data, packet);
    if (step == Input::Step::kMore) return;
    if (step == Input::Step::kBad) return fail("a packet of impossible length");
    accept(std::move(packet));
  }
}

void ChannelImpl::parse_backlog() {
  std::span<const std::byte> rest = std::span(backlog_).subspan(backlog_used_);
  parse(rest);
  backlog_used_ = backlog_.size() - rest.size();
  if (failed_ || rest.empty()) drop_backlog();
}

void ChannelImpl::drop_backlog() {
  backlog_ = {};
  backlog_used_ = 0;
}

void ChannelImpl::accept(Input::Packet packet) {
  auto request = parse_packet(packet.bytes, std::move(packet.memory));
  if (!request) return fail("a packet too short to be answered");
  const bool greeting = request->row != nullptr && request->row->type == Type::kInit;
  if (greeting == greeted_) return fail(greeted_ ? "a second INIT" : "a request before INIT");
  greeted_ = true;
  held_bytes_ += request->wire_bytes;
  usage_->request_bytes += request->wire_bytes;
  ++held_requests_;
  if (pacer_ && pacer_->hold(*request, now_())) return;
  queue_.push(std::move(*request));
}

void ChannelImpl::fail(const char* why) {
  core::log::warn("sftpd", side_->fs->identity().connection_id,
                  std::string("the client broke the SFTP protocol with ") + why + "; its channel is closed");
  failed_ = true;
  if (pacer_) pacer_->clear();
  queue_.clear();
  drop_backlog();
  drop_memory();
}

void ChannelImpl::on_eof() { eof_ = true; }

bool ChannelImpl::finished() const {
  return eof_ && backlog_.empty() && (!pacer_ || pacer_->empty()) && queue_.empty() && running_.empty() &&
         output_.empty();
}

vfs::Time ChannelImpl::next_turn() const { return pacer_ ? pacer_->next() : vfs::Time::max(); }

// With a limit below the window it would only make requests wait here instead of at the client, seconds of them.
bool ChannelImpl::receiving_upload() const {
  const auto& limit = side_->fs->identity().throttle.upload;
  const auto rate = limit ? limit->rate() : 0;
  return handles_.uploads() > 0 && (rate <= 0 || rate >= std::int64_t{limits::kUploadWindowBytes});
}

void ChannelImpl::fill(std::size_t budget) {
  if (abandoned_) return;
  const bool was_ready = ready();
  advance(budget);
  while (!backlog_.empty() && has_place()) {
    parse_backlog();
    advance(budget);
  }
  // The transport may ask ready() before it fills: tell it once more.
  if (!was_ready && ready()) {
    side_->post([self = std::static_pointer_cast<ChannelImpl>(shared_from_this())] {
      if (const auto wake = self->wake_) wake();  // a copy: it may end in abandon()
    });
  }
}

// An idle channel keeps no blocks.
void ChannelImpl::drop_memory() {
  if (!queue_.empty() || !running_.empty()) return;
  input_.rest();
  running_ = {};
  if (output_.empty()) output_.clear();
}

// Batches that run keep the files they use; each file is closed as lost when its last holder lets go (~OpenHandle).
void ChannelImpl::abandon() {
  if (abandoned_) return;
  abandoned_ = true;
  side_->abandoned.store(true, std::memory_order_relaxed);
  wake_ = nullptr;
  // What runs gives back its share when it is done: until then it holds memory.
  std::size_t running = 0;
  for (const auto& batch : running_) running += batch->done ? 0 : batch->wire_bytes();
  usage_->request_bytes -= std::exchange(held_bytes_, running) - running;
  if (pacer_) pacer_->clear();
  queue_.clear();
  running_.clear();
  handles_.clear();
  output_.clear();
  drop_backlog();
  input_ = {};
}

}  // namespace host::sftp
