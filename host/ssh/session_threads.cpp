// SPDX-License-Identifier: Apache-2.0
//
// On which thread of its pair a session lives: the light one, and the bulk one for as long as it moves much data. A
// move is the last thing that a session does on a thread; what comes for it there afterwards finds that it has left.
#include <boost/asio/post.hpp>

#include "host/ssh/session.h"

namespace host::ssh {
namespace {

// Time on the bulk thread without much to do after which a session goes back.
constexpr int kCalmTicks = 2;

}  // namespace

IoThread& Session::here() { return residence_->on_bulk() ? threads_->bulk() : threads_->light(); }

bool Session::watch() {
  auto watch = std::make_shared<Watch>(here().io());
  boost::system::error_code error;
  watch->socket.assign(unwatched_fd_, error);
  if (error) {
    end("cannot watch the connection: " + error.message());
    return false;
  }
  unwatched_fd_ = -1;
  watch_ = std::move(watch);
  return true;
}

// A session that waits for its turn is known to its thread.
bool Session::may_move() const {
  return phase_ == Phase::kOpen && !ending_ && !stopping_ && !in_bulk_ && !in_step_ && arrived_;
}

void Session::move(bool to_bulk) {
  const auto self = shared_from_this();
  auto& target = to_bulk ? threads_->bulk() : threads_->light();
  here().remove(self);
  if (watch_) {
    watch_->left = true;
    watch_->throttle.cancel();
    unwatched_fd_ = watch_->socket.release();
    watch_.reset();
  }
  arrived_ = false;
  residence_->set_on_bulk(to_bulk);
  boost::asio::post(target.io(), [self] { self->arrive(); });
}

// A worker's answer may have come here before.
void Session::arrive() {
  arrived_ = true;
  if (phase_ == Phase::kEnded) return;
  here().add(shared_from_this());
  step();
}

void Session::consider_leaving_bulk() {
  const bool much = moves_much();
  moved_since_tick_ = 0;
  calm_ticks_ = !residence_->on_bulk() || much ? 0 : calm_ticks_ + 1;
  if (calm_ticks_ >= kCalmTicks && may_move()) {
    calm_ticks_ = 0;
    move(false);
  }
}

}  // namespace host::ssh
