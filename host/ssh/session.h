// SPDX-License-Identifier: Apache-2.0
//
// One SSH connection from accept to close: handshake, authentication, channels. Lives on one I/O thread of its group at
// a time; every call but the constructor belongs there. session.cpp drives libssh, session_channels.cpp serves
// channels, session_threads.cpp moves between the threads.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/core/limits.h"
#include "host/ssh/authentication.h"
#include "host/ssh/channel_link.h"
#include "host/ssh/context.h"
#include "host/ssh/fast_socket.h"
#include "host/ssh/io_group.h"
#include "host/ssh/login_check.h"
#include "host/ssh/places.h"

namespace host::ssh {

class Session : public std::enable_shared_from_this<Session> {
 public:
  struct Peer {
    std::string ip, address;  // address: "ip:port"
    Places::Place place;      // kept until the login
    Clock::time_point came;
    std::shared_ptr<const SessionOptions> options;
  };
  // Takes over the descriptor.
  Session(std::shared_ptr<IoGroup> threads, std::shared_ptr<Context> context, int fd, Peer peer);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  void on_bulk_turn();
  void on_tick(Clock::time_point now);
  void on_throttle_turn();
  // Ends at once when nothing is being transferred, else when that is done or `deadline` has come.
  void stop(Clock::time_point deadline);

 private:
  enum class Phase { kKeyExchange, kAuthentication, kOpen, kEnded };

  bool begin();
  void on_readable();
  void on_writable();
  void step();  // after anything happened: let libssh work, answer, send, wait
  bool poll_libssh();
  void advance_login();
  void advance_key_exchange();
  void advance_authentication();
  LoginCheck::Surroundings surroundings();
  void open();
  void serve();
  bool pump();
  void ask_for_turn();
  void wait();
  void wait_for_throttle();
  bool checking() const;
  bool hung_up() const;
  void close_on_request();
  void end(const std::string& reason);
  void finish();
  bool usable() const;

  IoThread& here();
  bool watch();
  bool moves_much() const { return moved_since_tick_ >= core::limits::kBulkBytes; }
  bool many_short_requests() const;
  bool may_move() const;
  bool consider_moving();
  void consider_going_back();
  void move(IoThread& target);
  void arrive();

  bool must_wait_to_write() const;
  int handle_messages();
  // Whether all messages among what libssh has taken in are served.
  bool drained() const { return phase_ != Phase::kOpen || received_.in_packets == packets_when_drained_; }
  bool handle(ssh_message message);
  bool open_channel(ssh_message message);
  bool start_service(ssh_message message);
  core::Channel::Hooks hooks();

  // The socket as one thread watches it, and the waits that are armed. Waits that come to their end after the session
  // has left the thread find it `left`.
  struct Watch {
    explicit Watch(boost::asio::io_context& io) : socket(io), throttle(io) {}
    boost::asio::posix::stream_descriptor socket;
    boost::asio::steady_timer throttle;
    Clock::time_point throttled_until = Clock::time_point::max();  // what the timer is set to
    bool reading = false, writing = false;
    bool left = false;
  };

  // Shared, and before watch_: the last owner of a session may be a worker after the server is gone.
  const std::shared_ptr<IoGroup> threads_;
  const std::shared_ptr<Residence> residence_;
  const std::shared_ptr<Context> context_;
  const std::shared_ptr<const SessionOptions> options_;
  std::shared_ptr<Watch> watch_;  // null until the session has begun on a thread
  int unwatched_fd_;              // the socket meanwhile, else -1
  FastSocket fast_;
  const std::string client_ip_, client_address_, connection_id_;
  std::shared_ptr<Places::Place> place_;    // of its address, before the login
  std::shared_ptr<admin::Session> listed_;  // from then on
  int libssh_fd_ = -1;                      // a duplicate, owned by libssh
  ssh_session session_ = nullptr;
  ssh_event event_ = nullptr;
  Phase phase_ = Phase::kKeyExchange;
  std::unique_ptr<Authentication> authentication_;
  std::shared_ptr<vfs::SessionFs> fs_;
  std::shared_ptr<ChannelLink::Share> share_;  // made at login
  std::vector<std::unique_ptr<ChannelLink>> channels_;
  Clock::time_point deadline_;  // login grace, later the limit without channels
  Clock::time_point stop_by_;
  bool stopping_ = false;
  std::uint64_t moved_since_tick_ = 0;  // bytes of all channels
  bool arrived_ = true;                 // false from one thread until on the other
  IoThread* own_ = nullptr;             // a thread lent to this session, to be given back
  Clock::time_point storage_slow_until_{};
  int calm_ticks_ = 0;  // in a row, away from the light thread
  bool in_step_ = false;
  bool in_bulk_ = false;
  bool in_turn_ = false;        // until it is served
  std::size_t next_link_ = 0;   // who is served first
  unsigned requests_seen_ = 0;  // for authentication, by libssh
  ssh_counter_struct received_{};
  std::uint64_t packets_when_drained_ = ~std::uint64_t{0};  // received_.in_packets when there was no message
  std::uint64_t packets_when_blocked_ = 0;  // received_.in_packets when the socket was last found writable
  bool ending_ = false;
  bool use_fast_ = false;
  bool logged_in_ = false;
};

}  // namespace host::ssh
