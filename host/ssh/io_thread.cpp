// SPDX-License-Identifier: Apache-2.0
//
// The event loop of one thread. Everything but stop(), start() and join() runs on the thread itself.
#include "host/ssh/io_thread.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "host/core/limits.h"
#include "host/core/worker_pool.h"
#include "host/ssh/session.h"

namespace host::ssh {
namespace {

// How often deadlines are looked at; also their accuracy.
constexpr auto kTick = std::chrono::milliseconds(500);

}  // namespace

IoThread::IoThread(std::string name, Manner manner)
    : name_(std::move(name)),
      manner_(manner),
      work_(io_.get_executor()),
      timer_(io_),
      receive_buffer_(core::limits::kSocketReadBytes) {}

IoThread::~IoThread() { join(); }

void IoThread::start() {
  thread_ = std::thread([this] {
    core::set_thread_name(name_);
    if (manner_.slice.count() != 0) core::prefer_short_slices(manner_.slice);
    run();
  });
}

void IoThread::run() {
  if (manner_.look.count() == 0) {
    io_.run();
    return;
  }
  while (io_.run_one() != 0) look_for_more();
}

// A client that waits for each answer sends its next request in less time than it takes to fall asleep and be woken up.
void IoThread::look_for_more() {
  static std::atomic<unsigned> looking = 0;
  // The other processors are for those who do something; a container may have fewer than it sees.
  static const unsigned most = std::min(std::thread::hardware_concurrency() / 2, core::limits::kOwnThreadsLooking);
  if (looking.fetch_add(1, std::memory_order_relaxed) < most) {
    for (auto last = Clock::now(); !io_.stopped() && Clock::now() - last < manner_.look;) {
      if (io_.poll() != 0) {
        last = Clock::now();
      } else {
        std::this_thread::yield();
      }
    }
  }
  looking.fetch_sub(1, std::memory_order_relaxed);
}

void IoThread::join() {
  if (thread_.joinable()) thread_.join();
}

void IoThread::add(std::shared_ptr<Session> session) {
  sessions_.insert(session);
  ensure_tick();
  if (stopping_) session->stop(stop_by_);
}

void IoThread::remove(const std::shared_ptr<Session>& session) { sessions_.erase(session); }

void IoThread::add_bulk(std::shared_ptr<Session> session) {
  bulk_.push_back(std::move(session));
  if (bulk_posted_) return;
  bulk_posted_ = true;
  boost::asio::post(io_, [this] { run_bulk(); });
}

void IoThread::run_bulk() {
  bulk_posted_ = false;
  if (bulk_.empty()) return;
  const auto session = std::move(bulk_.front());
  bulk_.pop_front();
  session->on_bulk_turn();  // may queue itself again
  if (!bulk_.empty() && !bulk_posted_) {
    bulk_posted_ = true;
    boost::asio::post(io_, [this] { run_bulk(); });
  }
}

void IoThread::ensure_tick() {
  if (std::exchange(ticking_, true)) return;
  timer_.expires_after(kTick);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

void IoThread::tick() {
  const auto now = Clock::now();
  const std::vector<std::shared_ptr<Session>> all(sessions_.begin(), sessions_.end());
  for (const auto& session : all) session->on_tick(now);
  ticking_ = false;
  if (!ended_ && !sessions_.empty()) ensure_tick();
}

void IoThread::stop(Clock::time_point deadline) {
  boost::asio::post(io_, [this, deadline] {
    stop_by_ = std::exchange(stopping_, true) ? std::min(stop_by_, deadline) : deadline;
    const std::vector<std::shared_ptr<Session>> all(sessions_.begin(), sessions_.end());
    for (const auto& session : all) session->stop(stop_by_);
  });
}

void IoThread::end() {
  boost::asio::post(io_, [this] {
    ended_ = true;
    timer_.cancel();
    work_.reset();
  });
}

}  // namespace host::ssh
