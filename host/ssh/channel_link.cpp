// SPDX-License-Identifier: Apache-2.0
//
// Flow control. Towards us: what the engine has no room for stays in libssh's buffer, which libssh counts against the
// peer's window, so that the peer stops by itself. Away from us: never more than the peer's window, never while the
// socket is full, never from inside a callback (ssh_channel_write may call back into on_data).
#include "host/ssh/channel_link.h"

#include <algorithm>
#include <array>
#include <utility>

#include "host/core/limits.h"
#include "host/core/metrics.h"

namespace host::ssh {

namespace limits = core::limits;

namespace {

// Small replies go out together: each packet costs a system call and wakes the peer.
constexpr std::size_t kSmallPart = 4 * 1024;
constexpr std::size_t kGatheredBytes = 16 * 1024;

// The widest window and a little more, for what was on its way.
constexpr std::size_t kMaxHeldBytes = limits::kUploadWindowBytes + limits::kUploadWindowBytes / 8;

}  // namespace

ChannelLink::ChannelLink(ssh_session session, ssh_channel channel, std::shared_ptr<Share> share)
    : session_(session), channel_(channel), share_(std::move(share)) {
  callbacks_.userdata = this;
  callbacks_.channel_data_function = &ChannelLink::on_data;
  callbacks_.channel_eof_function = &ChannelLink::on_eof;
  callbacks_.channel_close_function = &ChannelLink::on_close;
  ssh_callbacks_init(&callbacks_);
  ssh_set_channel_callbacks(channel_, &callbacks_);
}

ChannelLink::~ChannelLink() {
  ssh_remove_channel_callbacks(channel_, &callbacks_);
  drop_engine();
  if (window_wide_) --share_->wide_windows;
  ssh_channel_free(channel_);
}

void ChannelLink::start(std::shared_ptr<core::Channel> engine, std::shared_ptr<admin::Session> session,
                        std::string protocol, std::string command) {
  engine_ = std::move(engine);
  is_command_ = protocol != "SFTP";
  listed_.emplace(std::move(session), std::move(protocol), std::move(command));
  state_ = State::kServing;
}

int ChannelLink::on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr, void* self) {
  auto* link = static_cast<ChannelLink*>(self);
  if (is_stderr != 0 || link->state_ > State::kServing) return static_cast<int>(size);  // dropped
  const bool full = link->state_ == State::kOpen || !link->engine_->ready();
  if (full && !link->must_accept_) {
    link->held_ = true;
    // Here `size` is all that waits: libssh takes in what comes beyond the window it has offered.
    link->overrun_ = size > kMaxHeldBytes;
    return 0;
  }
  link->held_ = false;
  link->received_ += size;
  link->traffic_ += size;
  link->engine_->on_data({static_cast<const std::byte*>(data), size});
  return static_cast<int>(size);
}

void ChannelLink::on_eof(ssh_session, ssh_channel, void* self) { static_cast<ChannelLink*>(self)->eof_ = true; }

void ChannelLink::on_close(ssh_session, ssh_channel, void* self) {
  auto* link = static_cast<ChannelLink*>(self);
  link->state_ = State::kClosed;
}

void ChannelLink::drain_held() {
  // Each read may re-open the window without counting what is still buffered: take all of it (libssh 0.10).
  must_accept_ = true;
  std::array<std::byte, 16384> part;
  for (;;) {
    const int count = ssh_channel_read_nonblocking(channel_, part.data(), part.size(), 0);
    if (count <= 0) break;
    received_ += static_cast<std::uint64_t>(count);
    traffic_ += static_cast<std::uint64_t>(count);
    engine_->on_data(std::span<const std::byte>(part).first(static_cast<std::size_t>(count)));
  }
  must_accept_ = false;
  held_ = false;
}

void ChannelLink::widen_window() {
  // libssh has no setter: a read of W bytes makes it offer the peer W bytes, and with everything consumed by on_data
  // nothing is copied to the dummy. Repeated each time a quarter of the window was used up.
  if (held_ || !engine_->receiving_upload() || !engine_->ready()) return;
  if (window_wide_ && received_ - received_at_widening_ < limits::kUploadWindowBytes / 4) return;
  if (!window_wide_ && share_->wide_windows >= limits::kMaxWideWindows) return;
  if (ssh_channel_poll(channel_, 0) != 0) return;
  if (!window_wide_) ++share_->wide_windows;
  window_wide_ = true;
  received_at_widening_ = received_;
  must_accept_ = true;
  std::array<std::byte, 16> dummy;
  ssh_channel_read_timeout(channel_, dummy.data(), limits::kUploadWindowBytes, 0, 0);
  must_accept_ = false;
}

bool ChannelLink::pump(std::size_t& budget) {
  if (in_pump_ || state_ != State::kServing) return false;
  in_pump_ = true;
  if (held_ && engine_->ready()) drain_held();
  widen_window();
  if (eof_ && !held_) engine_->on_eof();
  const bool more = send_some(budget) || send_errors(budget);
  close_if_done();
  in_pump_ = false;
  return more && state_ == State::kServing;
}

bool ChannelLink::send_some(std::size_t& budget) {
  auto& output = engine_->output();
  std::array<std::byte, kGatheredBytes> together;
  if (!output.empty()) engine_->fill(0);  // requests for workers need not wait for the socket
  while (state_ == State::kServing) {
    if (output.empty()) engine_->fill(budget);
    if (output.empty()) return false;
    const std::size_t window = ssh_channel_window_size(channel_);
    if (window == 0) return false;  // its adjustment wakes us
    if ((ssh_get_status(session_) & SSH_WRITE_PENDING) != 0) return true;
    const auto part = output.front().size() < kSmallPart ? output.gather(together) : output.front();
    const auto size = std::min({part.size(), window, std::size_t{limits::kChannelWriteBytes}});
    if (size > budget) return true;
    const int written = ssh_channel_write(channel_, part.data(), static_cast<std::uint32_t>(size));
    if (written < 0) state_ = State::kClosed;
    if (written <= 0) return false;  // 0: a key exchange is under way, its end wakes us
    output.consume(static_cast<std::size_t>(written));
    budget -= static_cast<std::size_t>(written);
    traffic_ += static_cast<std::uint64_t>(written);
  }
  return false;
}

bool ChannelLink::send_errors(std::size_t& budget) {
  auto* errors = engine_ ? engine_->errors() : nullptr;
  while (errors != nullptr && state_ == State::kServing && !errors->empty()) {
    const std::size_t window = ssh_channel_window_size(channel_);
    if (window == 0) return false;
    if ((ssh_get_status(session_) & SSH_WRITE_PENDING) != 0) return true;
    const auto size = std::min({errors->front().size(), window, std::size_t{limits::kChannelWriteBytes}});
    if (size > budget) return true;
    const int written = ssh_channel_write_stderr(channel_, errors->front().data(), static_cast<std::uint32_t>(size));
    if (written < 0) state_ = State::kClosed;
    if (written <= 0) return false;
    errors->consume(static_cast<std::size_t>(written));
    budget -= static_cast<std::size_t>(written);
    traffic_ += static_cast<std::uint64_t>(written);
  }
  return false;
}

// RFC 4254 section 6.10: how it ended goes before EOF and CLOSE.
void ChannelLink::send_end() {
  if (!engine_->finished()) {
    ssh_channel_request_send_exit_status(channel_, 1);
  } else if (const char* signal = engine_->exit_signal(); signal != nullptr) {
    ssh_channel_request_send_exit_signal(channel_, signal, 0, "", "");
  } else {
    ssh_channel_request_send_exit_status(channel_, engine_->exit_status());
  }
}

void ChannelLink::close_if_done() {
  if (state_ != State::kServing || !engine_->output().empty()) return;
  if (!engine_->finished() && !engine_->failed()) return;
  if (const auto* errors = engine_->errors(); errors != nullptr && !errors->empty()) return;
  count_command();  // before the client knows
  send_end();
  ssh_channel_send_eof(channel_);
  ssh_channel_close(channel_);
  if (state_ != State::kClosed) state_ = State::kClosing;  // sending may have taken in the peer's CLOSE
  drop_engine();
}

void ChannelLink::count_command() {
  if (!engine_ || !std::exchange(is_command_, false)) return;
  using core::metrics::Counter;
  const bool good = engine_->finished() && engine_->exit_status() == 0;
  core::metrics::add(good ? Counter::kCommands : Counter::kCommandErrors);
}

void ChannelLink::drop_engine() {
  count_command();
  if (engine_) engine_->abandon();
  engine_.reset();
  listed_.reset();
}

std::uint64_t ChannelLink::take_traffic() { return std::exchange(traffic_, 0); }

}  // namespace host::ssh
