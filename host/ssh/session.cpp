// SPDX-License-Identifier: Apache-2.0
//
// Drives libssh without blocking: whenever the descriptor is ready, libssh polls once or more, then authentication or
// the channels go on, then the next wait is armed. The read wait is armed once logged in, because window adjustments
// and key exchanges arrive in band, unless messages wait to be served; the write wait only while libssh has bytes it
// could not send.
#include "host/ssh/session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/core/random.h"
#include "host/ssh/request_watch.h"

// The message API is marked as replaced by callbacks, which cannot defer an answer (see authentication.h).
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace host::ssh {
namespace {

namespace limits = core::limits;

// Polls per turn, and packets after which there is no other, so that one peer that sends without pause does not keep
// the thread.
constexpr int kPollsPerTurn = 64;
constexpr std::uint64_t kPacketsPerTurn = 1024;

}  // namespace

Session::Session(std::shared_ptr<IoGroup> threads, std::shared_ptr<Context> context, int fd, Peer peer)
    : threads_(std::move(threads)),
      residence_(std::make_shared<Residence>(threads_)),
      context_(std::move(context)),
      options_(std::move(peer.options)),
      unwatched_fd_(fd),
      client_ip_(std::move(peer.ip)),
      client_address_(std::move(peer.address)),
      connection_id_(core::random_text(64)),
      place_(std::make_shared<Places::Place>(std::move(peer.place))),
      deadline_(peer.came + std::chrono::seconds(options_->login_grace_s)) {
  ++context_->sessions;
  threads_->enter();
}

Session::~Session() {
  finish();
  --context_->sessions;
}

void Session::start() {
  if (phase_ == Phase::kEnded) return;  // it came while the thread was stopping
  if (begin()) {
    step();
  } else {
    wait();
  }
}

bool Session::begin() {
  if (!watch()) return false;
  // libssh closes its descriptor by itself when the peer goes; ours must stay valid until the event loop let go of it.
  libssh_fd_ = ::fcntl(watch_->socket.native_handle(), F_DUPFD_CLOEXEC, 0);
  if (libssh_fd_ < 0) {
    end("out of file descriptors");
    return false;
  }
  session_ = ssh_new();
  if (session_ == nullptr) {
    ::close(libssh_fd_);
    end("out of memory");
    return false;
  }
  const bool no_config = false;
  ssh_options_set(session_, SSH_OPTIONS_PROCESS_CONFIG, &no_config);
  ssh_options_set(session_, SSH_OPTIONS_COMPRESSION_C_S, "none");
  ssh_options_set(session_, SSH_OPTIONS_COMPRESSION_S_C, "none");
  ssh_options_set(session_, SSH_OPTIONS_REKEY_DATA, &options_->rekey_bytes);
  {
    const std::lock_guard lock(context_->bind_mutex);
    if (ssh_bind_accept_fd(context_->bind.get(), session_, libssh_fd_) != SSH_OK) {
      if (ssh_get_fd(session_) != libssh_fd_) ::close(libssh_fd_);
      end("cannot start the session: " + std::string(ssh_get_error(context_->bind.get())));
      return false;
    }
  }
  ssh_set_blocking(session_, 0);
  ssh_set_auth_methods(session_, Authentication::kMethods);
  if (ssh_handle_key_exchange(session_) == SSH_ERROR) {  // sends our identification, makes the poll context
    end("key exchange failed: " + std::string(ssh_get_error(session_)));
    return false;
  }
  event_ = ssh_event_new();
  if (event_ == nullptr || ssh_event_add_session(event_, session_) != SSH_OK) {
    end("out of memory");
    return false;
  }
  return true;
}

bool Session::usable() const {
  return session_ != nullptr && !ending_ && (ssh_get_status(session_) & (SSH_CLOSED | SSH_CLOSED_ERROR)) == 0;
}

void Session::on_readable() {
  if (use_fast_ && drained()) {
    fast_socket_fill(watch_->socket.native_handle(), fast_, here().receive_buffer());
    in_step_ = true;
    while (!fast_.input.empty() && usable()) {
      const auto before = fast_.input.size();
      if (ssh_event_dopoll(event_, 0) == SSH_ERROR || fast_.input.size() == before) end(ssh_get_error(session_));
      if (!drained()) handle_messages();  // libssh would keep any number of them
    }
    in_step_ = false;
    fast_.input = {};  // the buffer is shared by all sessions of the thread
    if (fast_.end_of_input && usable()) {
      ssh_event_dopoll(event_, 0);
      end("");
    }
  }
  step();
}

void Session::on_writable() {
  fast_.writable = true;
  fast_.wants_write = false;
  step();
}

void Session::on_bulk_turn() {
  in_bulk_ = false;
  in_turn_ = true;
  if (!consider_moving()) step();
}

bool Session::poll_libssh() {
  const auto packets = received_.in_packets;
  for (int i = 0; i < kPollsPerTurn && usable() && received_.in_packets - packets < kPacketsPerTurn; ++i) {
    if (!drained()) handle_messages();
    if (!drained()) break;
    int rc = SSH_ERROR;
    if (phase_ == Phase::kOpen) {
      rc = ssh_event_dopoll(event_, 0);
    } else {
      const RequestWatch watch(requests_seen_);  // asking for messages takes in packets as well
      rc = ssh_event_dopoll(event_, 0);
      if (rc != SSH_ERROR) advance_login();
    }
    if (rc == SSH_ERROR) return false;
    if (rc == SSH_AGAIN) break;
    // One request at a time: what else the client has sent stays in the socket until this one is answered.
    if (checking()) break;
  }
  return usable();
}

void Session::advance_login() {
  if (phase_ == Phase::kKeyExchange) advance_key_exchange();
  if (phase_ == Phase::kAuthentication) advance_authentication();
}

void Session::step() {
  if (in_step_ || phase_ == Phase::kEnded) return;
  in_step_ = true;
  if (!ending_ && !poll_libssh()) end(ssh_get_error(session_));
  if (usable() && phase_ == Phase::kOpen) serve();
  if (!must_wait_to_write()) {
    packets_when_blocked_ = received_.in_packets;
  } else if (received_.in_packets - packets_when_blocked_ > limits::kMaxPacketsWhileBlocked) {
    end("the client sends without reading");
  }
  in_step_ = false;
  if (!consider_moving()) wait();
}

void Session::advance_key_exchange() {
  const int rc = ssh_handle_key_exchange(session_);
  if (rc == SSH_AGAIN) return;
  if (rc != SSH_OK) {
    end("key exchange failed: " + std::string(ssh_get_error(session_)));
    return;
  }
  phase_ = Phase::kAuthentication;
  authentication_ = std::make_unique<Authentication>(
      session_, surroundings(),
      Authentication::Peer{client_ip_, client_address_, connection_id_, context_->next_session++});
}

LoginCheck::Surroundings Session::surroundings() {
  auto post = [residence = residence_, weak = weak_from_this()](std::function<void()> work) {
    residence->post([weak, work = std::move(work)] {
      const auto self = weak.lock();
      work();
      if (self) self->step();
    });
  };
  auto close = [residence = residence_, weak = weak_from_this()] {
    residence->post([weak] {
      if (const auto self = weak.lock()) self->close_on_request();
    });
  };
  return {threads_, context_, options_, place_, std::move(post), std::move(close)};
}

void Session::advance_authentication() {
  const auto state = authentication_->advance();
  if (state == Authentication::State::kRunning && authentication_->requests_taken() < requests_seen_) {
    authentication_->on_dropped_request();
    end("");
  }
  if (state == Authentication::State::kGranted) open();
  if (state == Authentication::State::kRefused) end("");
}

void Session::open() {
  phase_ = Phase::kOpen;
  logged_in_ = true;
  place_.reset();
  fs_ = authentication_->take_fs();
  listed_ = authentication_->take_listed();
  listed_->touch(Clock::now());
  listed_->on_close([residence = residence_, its_fs = std::weak_ptr(fs_), weak = weak_from_this()] {
    // Here, since a call that hangs may keep the session's own thread from hearing of it.
    if (const auto fs = its_fs.lock()) fs->cancel();
    residence->post([weak] {
      if (const auto self = weak.lock()) self->close_on_request();
    });
  });
  share_ = std::make_shared<ChannelLink::Share>();
  ssh_set_counters(session_, nullptr, &received_);
  authentication_.reset();
  deadline_ = Clock::now() + limits::kWithoutChannels;
  use_fast_ = context_->options.fast_socket && fast_socket_built() && fast_socket_attach(libssh_fd_, &fast_);
  core::log::debug("sftpd", connection_id_,
                   std::string("key exchange ") + ssh_get_kex_algo(session_) + ", cipher in " +
                       ssh_get_cipher_in(session_) + ", cipher out " + ssh_get_cipher_out(session_));
}

void Session::wait() {
  if (phase_ == Phase::kEnded) return;
  if (ending_) {
    finish();
    return;
  }
  if (!watch_ && !watch()) {
    finish();
    return;
  }
  const auto when = [&](auto event, bool Watch::*armed, void (Session::*then)()) {
    (*watch_).*armed = true;
    watch_->socket.async_wait(event, [self = shared_from_this(), watch = watch_, armed, then](const auto& error) {
      if (watch->left) return;
      (*watch).*armed = false;
      if (!error) (self.get()->*then)();
    });
  };
  using Socket = boost::asio::posix::stream_descriptor;
  if (!watch_->reading && !checking() && drained()) when(Socket::wait_read, &Watch::reading, &Session::on_readable);
  if (!watch_->writing && must_wait_to_write()) when(Socket::wait_write, &Watch::writing, &Session::on_writable);
  wait_for_throttle();
}

bool Session::checking() const {
  return authentication_ && authentication_->state() == Authentication::State::kPending;
}

// Nothing is read during a check, so that the end of the connection would not show.
bool Session::hung_up() const {
  if (!watch_) return false;
  pollfd socket{watch_->socket.native_handle(), POLLRDHUP, 0};
  return ::poll(&socket, 1, 0) > 0;
}

void Session::on_tick(Clock::time_point now) {
  if (phase_ == Phase::kEnded) return;
  const auto idle = std::chrono::minutes(options_->idle_timeout_min);
  if (now >= deadline_) {
    end(logged_in_ ? "no channel was opened in time" : "login did not happen in time");
  } else if (logged_in_ && idle.count() > 0 && now - listed_->last_activity() >= idle) {
    end("idle for " + std::to_string(idle.count()) + " minutes");
  } else if (checking() && hung_up()) {
    end("the client has left during the check of its login");
  } else if (stopping_) {
    const bool unsent = phase_ == Phase::kOpen && (ssh_get_status(session_) & SSH_WRITE_PENDING) != 0;
    const bool busy =
        unsent || std::any_of(channels_.begin(), channels_.end(), [](const auto& link) { return link->busy(); });
    if (!busy || now >= stop_by_) end(busy ? "server stopped before the transfer was done" : "server stopped");
  }
  if (ending_) {
    wait();
  } else {
    consider_going_back();
  }
}

void Session::stop(Clock::time_point deadline) {
  stopping_ = true;
  stop_by_ = deadline;
  on_tick(Clock::now());
}

void Session::end(const std::string& reason) {
  if (ending_) return;
  ending_ = true;
  if (!logged_in_ && (!authentication_ || !authentication_->tried())) {
    core::log::connection_failed({client_ip_, "", "no_auth_tryed", reason.empty() ? "connection closed" : reason});
  } else if (!reason.empty()) {
    core::log::debug("sftpd", connection_id_, "session ends: " + reason);
  }
}

// Somebody in charge wants this session gone. Its transfers end as lost ones do.
void Session::close_on_request() {
  if (phase_ == Phase::kEnded || ending_) return;
  ssh_session_set_disconnect_message(session_, "closed by the administrator");
  end("closed by the administrator");
  wait();
}

void Session::finish() {
  if (phase_ == Phase::kEnded) return;
  phase_ = Phase::kEnded;
  if (fs_) fs_->cancel();
  channels_.clear();
  listed_.reset();
  place_.reset();
  authentication_.reset();
  if (event_ != nullptr) {
    // libssh writes one packet per POLLOUT: else the closing of channels keeps the reason of the end from going out.
    if ((ssh_get_status(session_) & (SSH_CLOSED | SSH_CLOSED_ERROR)) == 0) ssh_event_dopoll(event_, 0);
    ssh_event_remove_session(event_, session_);
    ssh_event_free(event_);
  }
  if (use_fast_) fast_socket_detach(libssh_fd_, &fast_);
  if (session_ != nullptr) {
    ssh_disconnect(session_);
    ssh_free(session_);
    session_ = nullptr;
  }
  if (watch_) {
    watch_->left = true;
    watch_->throttle.cancel();
    boost::system::error_code ignored;
    watch_->socket.close(ignored);
  } else if (unwatched_fd_ >= 0) {
    ::close(std::exchange(unwatched_fd_, -1));
  }
  if (const auto self = weak_from_this().lock()) here().remove(self);
  if (own_ != nullptr) threads_->give_back(*std::exchange(own_, nullptr));
  threads_->leave();
}

}  // namespace host::ssh
