// SPDX-License-Identifier: Apache-2.0
//
// How the group comes to its end without losing a session that is between two of its threads.
#include "host/ssh/io_group.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <iterator>
#include <string>
#include <utility>

#include "host/core/limits.h"
#include "host/plugin/authenticator.h"

namespace host::ssh {

namespace limits = core::limits;

IoGroup::IoGroup(int number)
    : number_(number),
      light_("io-" + std::to_string(number), {.slice = limits::kShortSlice}),
      bulk_("bulk-" + std::to_string(number), {}),
      patience_(light_.io()) {}

IoThread* IoGroup::lend_own(const std::shared_ptr<vfs::SessionFs>& files) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return nullptr;
  auto free = std::ranges::find(own_, false, &Own::lent);
  if (free == own_.end()) {
    if (own_.size() >= limits::kOwnThreads || Clock::now() < no_thread_until_) return nullptr;
    // Out of threads or descriptors the session stays where it is.
    try {
      auto thread =
          std::make_unique<IoThread>("own-" + std::to_string(number_),
                                     IoThread::Manner{.slice = limits::kShortSlice, .look = limits::kOwnThreadLook});
      thread->start();
      own_.push_back({.thread = std::move(thread), .lent = false, .files = {}});
      free = std::prev(own_.end());
    } catch (const std::exception&) {
      no_thread_until_ = Clock::now() + limits::kOwnThreadRetry;
      return nullptr;
    }
  }
  free->lent = true;
  free->files = files;
  return free->thread.get();
}

void IoGroup::give_back(IoThread& own) {
  const std::lock_guard lock(mutex_);
  for (auto& known : own_) {
    if (known.thread.get() == &own) known.lent = false;
  }
}

void IoGroup::start() {
  light_.start();
  bulk_.start();
}

void IoGroup::join() {
  bulk_.join();
  light_.join();
  for (const auto& own : own_) own.thread->join();  // none is added any more
}

void IoGroup::stop(Clock::time_point deadline) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& own : own_) own.thread->stop(deadline);
  }
  boost::asio::post(light_.io(), [this, deadline] {
    patience_until_ = std::min(patience_until_, deadline);
    patience_.expires_at(patience_until_);
    patience_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) end_calls();
    });
  });
  light_.stop(deadline);
  bulk_.stop(deadline);
  end_if_done();
}

void IoGroup::leave() {
  --sessions_;
  end_if_done();
}

std::shared_ptr<void> IoGroup::stay(const std::shared_ptr<IoGroup>& group) {
  group->enter();
  return {group.get(), [group](void*) { group->leave(); }};
}

// No thread ends while another may still send it a session, or a worker something for one.
void IoGroup::end_if_done() {
  if (!stopping_ || sessions_ > 0) return;
  boost::asio::post(light_.io(), [this] { patience_.cancel(); });
  light_.end();
  bulk_.end();
  const std::lock_guard lock(mutex_);
  for (const auto& own : own_) own.thread->end();
}

// A session that waits for its storage on its own thread does not see that its time is over.
void IoGroup::end_calls() {
  const std::lock_guard lock(mutex_);
  for (const auto& own : own_) {
    const auto files = own.lent ? own.files.lock() : nullptr;
    if (files) files->cancel();
  }
  // The end of an upload is no session's any more.
  nobodys_calls_end_ = std::make_shared<plugin::SessionGone>(0);
}

void Residence::post(std::function<void()> work) {
  const auto group = group_.lock();
  if (!group) return;
  const std::lock_guard lock(moving_);
  IoThread* const thread = thread_;
  boost::asio::post(thread->io(), [self = shared_from_this(), thread, work = std::move(work)]() mutable {
    if (&self->thread() == thread) {
      work();
    } else {
      self->post(std::move(work));  // it moved meanwhile
    }
  });
}

void Residence::move(IoThread& to, bool alone, std::function<void()> arrive) {
  const std::lock_guard lock(moving_);
  alone_ = alone;
  thread_ = &to;
  boost::asio::post(to.io(), std::move(arrive));
}

}  // namespace host::ssh
