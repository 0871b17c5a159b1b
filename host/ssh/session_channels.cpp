// SPDX-License-Identifier: Apache-2.0
//
// A logged-in session's channels: requests for them, turns at sending, and what keeps the session awake while there is
// work. session.cpp drives libssh around it.
#include <algorithm>
#include <cstring>
#include <utility>

#include "host/core/limits.h"
#include "host/ssh/command.h"
#include "host/ssh/session.h"

// The message API is marked as replaced by callbacks, which cannot defer an answer (see authentication.h).
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace host::ssh {

namespace limits = core::limits;

namespace {

// Rounds of serving per turn, so that one peer that sends without pause does not keep the thread.
constexpr int kServesPerTurn = 64;
// More than libssh takes in at a time, 4 KiB of the shortest packets.
constexpr int kMessagesPerRound = 128;
constexpr int kMessagesPerTurn = 1024;

}  // namespace

// libssh takes in packets while it sends, and when it is asked for messages: each round may bring work for the next, a
// wider window or the end of a key exchange included. What is left for another turn keeps the session from reading on:
// libssh's queue has no bound of its own.
void Session::serve() {
  int served = 0;
  for (int i = 0; i < kServesPerTurn && served < kMessagesPerTurn && usable(); ++i) {
    const auto packets = received_.in_packets;
    const int messages = handle_messages();
    if (!drained()) break;
    const bool freed = pump();
    if (messages == 0 && !freed && received_.in_packets == packets) return;
    served += messages;
  }
  ask_for_turn();
}

void Session::ask_for_turn() {
  if (in_bulk_) return;
  in_bulk_ = true;
  here().add_bulk(shared_from_this());
}

// A message callback would be called only by some of the ways in which libssh takes in packets: the queue misses none.
// Bytes that arrive together with the request for their subsystem wait in the channel meanwhile.
int Session::handle_messages() {
  int handled = 0;
  while (handled < kMessagesPerRound && usable()) {
    const MessagePtr message(ssh_message_get(session_));
    if (!message) {
      packets_when_drained_ = received_.in_packets;
      break;
    }
    ++handled;
    if (!handle(message.get())) ssh_message_reply_default(message.get());
  }
  return handled;
}

bool Session::handle(ssh_message message) {
  switch (ssh_message_type(message)) {
    case SSH_REQUEST_CHANNEL_OPEN: return open_channel(message);
    case SSH_REQUEST_CHANNEL: return start_service(message);
    default: return false;
  }
}

bool Session::open_channel(ssh_message message) {
  if (ssh_message_subtype(message) != SSH_CHANNEL_SESSION || stopping_) return false;
  if (channels_.size() >= static_cast<std::size_t>(limits::kMaxChannelsPerSession)) return false;
  const ssh_channel channel = ssh_message_channel_request_open_reply_accept(message);
  if (channel == nullptr) return false;
  channels_.push_back(std::make_unique<ChannelLink>(session_, channel, share_));
  return true;
}

core::Channel::Hooks Session::hooks() {
  core::Channel::Hooks hooks;
  hooks.post = [residence = residence_](std::function<void()> work) { residence->post(std::move(work)); };
  hooks.alone = [residence = residence_] { return residence->alone(); };
  hooks.wake = [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    if (self->listed_) self->listed_->touch(Clock::now());  // a request was at work until now
    self->step();
  };
  return hooks;
}

bool Session::start_service(ssh_message message) {
  const ssh_channel channel = ssh_message_channel_request_channel(message);
  const auto link = std::find_if(channels_.begin(), channels_.end(),
                                 [channel](const auto& each) { return each->channel() == channel; });
  if (link == channels_.end() || !(*link)->free()) return false;
  if (ssh_message_subtype(message) == SSH_CHANNEL_REQUEST_SUBSYSTEM) {
    const char* name = ssh_message_channel_request_subsystem(message);
    if (name == nullptr || std::strcmp(name, "sftp") != 0) return false;
    (*link)->start(sftp::Channel::create(fs_, hooks(), (*link)->usage()), listed_, "SFTP", "");
  } else if (ssh_message_subtype(message) == SSH_CHANNEL_REQUEST_EXEC) {
    const char* command = ssh_message_channel_request_command(message);
    auto engine =
        command != nullptr ? start_command(command, options_->commands, context_->programs, fs_, hooks()) : Command();
    if (!engine.channel) return false;
    (*link)->start(std::move(engine.channel), listed_, std::move(engine.protocol), command);
  } else {
    return false;
  }
  ssh_message_channel_request_reply_success(message);
  return true;
}

// True when the end of a channel freed what others may wait for.
bool Session::pump() {
  // While others wait for their turns only what is small goes out without one; who waits itself sends nothing before.
  const std::size_t without_turn = here().bulk_waits() ? limits::kQuickBytes : limits::kTurnBytes;
  const bool turn = !in_bulk_ && std::exchange(in_turn_, false);
  const std::size_t budget = in_bulk_ ? 0 : turn ? limits::kTurnBytes : without_turn;
  if (turn) ++next_link_;  // from turn to turn another channel has the whole of it
  std::size_t left = budget;
  bool more = false;
  bool freed = false;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    auto& link = *channels_[(next_link_ + i) % channels_.size()];
    const bool was_closing = link.closing();
    if (left == 0 && budget > 0) more = true;  // it may have something to send, which its own turn will show
    more = link.pump(left) || more;
    freed = freed || link.closing() != was_closing;
    if (link.overrun()) end("the client sends beyond its receive window");
    if (const auto moved = link.take_traffic(); moved != 0) {
      moved_since_tick_ += moved;
      listed_->touch(Clock::now());
    }
  }
  freed = std::erase_if(channels_, [](const auto& link) { return link->ended(); }) > 0 || freed;
  const bool serving =
      std::any_of(channels_.begin(), channels_.end(), [](const auto& link) { return !link->closing(); });
  if (serving) deadline_ = Clock::time_point::max();
  if (!serving && deadline_ == Clock::time_point::max()) deadline_ = Clock::now() + limits::kWithoutChannels;
  // Attached sockets get no write wait while they are writable: what libssh still holds goes out now.
  if (use_fast_ && fast_.writable && (ssh_get_poll_flags(session_) & SSH_WRITE_PENDING) != 0) {
    if (ssh_event_dopoll(event_, 0) == SSH_ERROR) end(ssh_get_error(session_));
  }
  if (more && !must_wait_to_write()) ask_for_turn();
  return freed;
}

// Requests that a bandwidth limit holds back. A timer that is set to an earlier time finds nothing to do, which is all.
void Session::wait_for_throttle() {
  auto next = Clock::time_point::max();
  for (const auto& link : channels_) next = std::min(next, link->next_turn());
  if (next >= watch_->throttled_until) return;
  watch_->throttled_until = next;
  watch_->throttle.expires_at(next);
  watch_->throttle.async_wait([self = shared_from_this(), watch = watch_](const auto& error) {
    if (error || watch->left) return;
    watch->throttled_until = Clock::time_point::max();
    self->on_throttle_turn();
  });
}

void Session::on_throttle_turn() {
  listed_->touch(Clock::now());  // who waits for us is not idle
  step();
}

bool Session::must_wait_to_write() const {
  return use_fast_ ? fast_.wants_write : (ssh_get_poll_flags(session_) & SSH_WRITE_PENDING) != 0;
}

}  // namespace host::ssh
