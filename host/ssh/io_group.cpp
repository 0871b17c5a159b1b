// SPDX-License-Identifier: Apache-2.0
//
// How the group comes to its end without losing a session that is between two of its threads.
#include "host/ssh/io_group.h"

#include <boost/asio/post.hpp>
#include <string>
#include <system_error>
#include <utility>

#include "host/core/limits.h"

namespace host::ssh {

namespace limits = core::limits;

IoGroup::IoGroup(int number)
    : number_(number),
      light_("io-" + std::to_string(number), limits::kShortSlice),
      bulk_("bulk-" + std::to_string(number), {}) {}

IoThread* IoGroup::lend_own() {
  const std::lock_guard lock(mutex_);
  if (stopping_) return nullptr;
  if (free_own_.empty()) {
    if (own_.size() >= limits::kOwnThreads) return nullptr;
    auto thread = std::make_unique<IoThread>("own-" + std::to_string(number_), limits::kShortSlice);
    try {
      thread->start();
    } catch (const std::system_error&) {
      return nullptr;  // out of threads: the session stays where it is
    }
    free_own_.push_back(thread.get());
    own_.push_back(std::move(thread));
  }
  auto* thread = free_own_.back();
  free_own_.pop_back();
  return thread;
}

void IoGroup::give_back(IoThread& own) {
  const std::lock_guard lock(mutex_);
  free_own_.push_back(&own);
}

void IoGroup::start() {
  light_.start();
  bulk_.start();
}

void IoGroup::join() {
  bulk_.join();
  light_.join();
  for (const auto& thread : own_) thread->join();  // none is added any more
}

void IoGroup::stop(Clock::time_point deadline) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& thread : own_) thread->stop(deadline);
  }
  light_.stop(deadline);
  bulk_.stop(deadline);
  end_if_done();
}

void IoGroup::leave() {
  --sessions_;
  end_if_done();
}

// No thread ends while another may still send it a session, or a worker something for one.
void IoGroup::end_if_done() {
  if (!stopping_ || sessions_ > 0) return;
  light_.end();
  bulk_.end();
  const std::lock_guard lock(mutex_);
  for (const auto& thread : own_) thread->end();
}

void Residence::post(std::function<void()> work) {
  const auto group = group_.lock();
  if (!group) return;
  IoThread* const thread = thread_;
  boost::asio::post(thread->io(), [self = shared_from_this(), thread, work = std::move(work)]() mutable {
    if (self->thread_ == thread) {
      work();
    } else {
      self->post(std::move(work));  // it moved meanwhile
    }
  });
}

}  // namespace host::ssh
