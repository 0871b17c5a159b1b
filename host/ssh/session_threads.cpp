// SPDX-License-Identifier: Apache-2.0
//
// On which thread of its group a session lives: the light one, the bulk one for as long as it moves much data, or one
// of its own for as long as it sends many short requests to a quick storage. A move is the last thing that a session
// does on a thread; what comes for it there afterwards finds that it has left.
#include <utility>

#include "host/core/log.h"
#include "host/ssh/session.h"

namespace host::ssh {

namespace limits = core::limits;

namespace {

// Time without much to do after which a session goes back to the light thread.
constexpr int kCalmTicks = 2;

}  // namespace

IoThread& Session::here() { return residence_->thread(); }

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

bool Session::many_short_requests() const {
  if (fs_ && fs_->asks_before()) return false;
  const auto requests = share_ ? share_->usage->short_requests : 0;
  return requests >= limits::kShortRequests && moved_since_tick_ < requests * limits::kShortRequestBytes &&
         Clock::now() >= storage_slow_until_;
}

// True when the session has left this thread.
bool Session::consider_moving() {
  if (!may_move()) return false;
  if (share_ && std::exchange(share_->usage->slow_storage, false)) {
    storage_slow_until_ = Clock::now() + limits::kSlowStorageMemory;
    if (own_ != nullptr) {
      move(threads_->light());
      return true;
    }
  }
  if (many_short_requests()) {
    if (own_ != nullptr) return false;
    own_ = threads_->lend_own(fs_);
    if (own_ != nullptr) {
      core::log::debug("sftpd", connection_id_, "many short requests: served by a thread of its own");
      move(*own_);
      return true;
    }
  }
  if (!moves_much() || &here() == &threads_->bulk()) return false;
  move(threads_->bulk());
  return true;
}

void Session::consider_going_back() {
  const bool calm = !moves_much() && !many_short_requests();
  moved_since_tick_ = 0;
  if (share_) share_->usage->short_requests = 0;
  calm_ticks_ = &here() != &threads_->light() && calm ? calm_ticks_ + 1 : 0;
  if (calm_ticks_ >= kCalmTicks && may_move()) move(threads_->light());
}

void Session::move(IoThread& target) {
  const auto self = shared_from_this();
  here().remove(self);
  if (watch_) {
    watch_->left = true;
    watch_->throttle.cancel();
    unwatched_fd_ = watch_->socket.release();
    watch_.reset();
  }
  arrived_ = false;
  calm_ticks_ = 0;
  IoThread* const left = own_ != &target ? std::exchange(own_, nullptr) : nullptr;
  if (left != nullptr) core::log::debug("sftpd", connection_id_, "back on a thread that serves others as well");
  const auto group = threads_;
  residence_->move(target, own_ != nullptr, [self] { self->arrive(); });
  if (left != nullptr) group->give_back(*left);
}

// What was posted here during an earlier stay may have come before.
void Session::arrive() {
  arrived_ = true;
  if (phase_ == Phase::kEnded) return;
  here().add(shared_from_this());
  step();
}

}  // namespace host::ssh
