// SPDX-License-Identifier: Apache-2.0
//
// Ties one SSH session channel (RFC 4254) to the protocol engine that serves it: moves bytes both ways, keeps within
// both windows, ends it properly. On the session's I/O thread.
#pragma once

#include <libssh/callbacks.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/admin/sessions.h"
#include "host/sftp/channel.h"
#include "host/ssh/handles.h"

namespace host::ssh {

class ChannelLink {
 public:
  // What the channels of one connection use together.
  struct Share {
    std::shared_ptr<sftp::Usage> usage = std::make_shared<sftp::Usage>();
    int wide_windows = 0;
  };

  ChannelLink(ssh_session session, ssh_channel channel, std::shared_ptr<Share> share);
  ~ChannelLink();
  ChannelLink(const ChannelLink&) = delete;
  ChannelLink& operator=(const ChannelLink&) = delete;

  ssh_channel channel() const { return channel_; }
  // What its channels share in their limits.
  const std::shared_ptr<sftp::Usage>& usage() const { return share_->usage; }
  bool free() const { return state_ == State::kOpen; }  // serves nothing yet
  // From now on the channel is the engine's; `listed` says so to operators.
  void start(std::shared_ptr<core::Channel> engine, std::shared_ptr<admin::Session> session, std::string protocol,
             std::string command);

  // Sends up to `budget` bytes and takes them from it; true when there is more that the client has room for. Never call
  // it from a libssh callback.
  bool pump(std::size_t& budget);
  bool closing() const { return state_ >= State::kClosing; }  // nothing more comes of it
  bool ended() const { return state_ == State::kClosed; }
  // When a bandwidth limit lets pump() go on; the maximum when none holds it up.
  vfs::Time next_turn() const { return engine_ ? engine_->next_turn() : vfs::Time::max(); }
  bool busy() const { return engine_ && engine_->busy(); }
  // The client sent more than any window it was given.
  bool overrun() const { return overrun_; }
  // Bytes moved either way since the last call: a session without any is idle.
  std::uint64_t take_traffic();

 private:
  enum class State { kOpen, kServing, kClosing, kClosed };  // kClosing: our CLOSE is out, theirs is not in

  static int on_data(ssh_session session, ssh_channel channel, void* data, std::uint32_t size, int is_stderr,
                     void* self);
  static void on_eof(ssh_session session, ssh_channel channel, void* self);
  static void on_close(ssh_session session, ssh_channel channel, void* self);
  void drain_held();
  void widen_window();
  bool send_some(std::size_t& budget);
  bool send_errors(std::size_t& budget);
  void send_end();
  void close_if_done();
  void count_command();
  void drop_engine();

  ssh_session session_;
  ssh_channel channel_;
  const std::shared_ptr<Share> share_;
  ssh_channel_callbacks_struct callbacks_{};
  std::shared_ptr<core::Channel> engine_;
  std::optional<admin::Session::Channel> listed_;  // while engine_ serves
  State state_ = State::kOpen;
  bool is_command_ = false;
  bool held_ = false;  // libssh keeps bytes that the engine had no room for
  bool overrun_ = false;
  bool must_accept_ = false;  // libssh is about to re-open the window: nothing may be left with it
  bool eof_ = false;
  bool window_wide_ = false;
  bool in_pump_ = false;
  std::uint64_t received_ = 0;
  std::uint64_t received_at_widening_ = 0;
  std::uint64_t traffic_ = 0;
};

}  // namespace host::ssh
