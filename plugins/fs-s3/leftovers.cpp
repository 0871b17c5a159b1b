// SPDX-License-Identifier: Apache-2.0
//
// One thread that sleeps until something is due. Each is tried after longer and longer pauses, for an hour.
#include "leftovers.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

namespace fs_s3 {
namespace {

constexpr std::size_t kMaxLeftovers = 1000;
constexpr auto kFirstPause = std::chrono::seconds(3), kLongestPause = std::chrono::seconds(300);
// Whoever begins an upload sends its first part soon; one without any for so long is not somebody else's.
constexpr auto kNobodysAfter = std::chrono::minutes(15);
constexpr auto kGivenUpAfter = std::chrono::hours(1);

}  // namespace

Leftovers::~Leftovers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Leftovers::add(Upload upload) {
  const std::lock_guard lock(mutex_);
  if (upload.client == nullptr || stopping_ || entries_.size() >= kMaxLeftovers) return;
  const auto now = Clock::now();
  const auto pause = upload.id.empty() ? kNobodysAfter : kFirstPause;
  entries_.push_back({std::move(upload), now + pause, now + kGivenUpAfter, pause});
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {  // the next one tries again
    }
  }
  wake_.notify_all();
}

// True: nothing of it is there any more.
bool Leftovers::take_back(const Upload& upload) try {
  const Stop stop = [this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  };
  std::vector<std::string> ids{upload.id};
  if (upload.id.empty()) {
    auto lost = upload.client->uploads_without_parts(stop, upload.key, upload.from_ns, upload.to_ns);
    if (!lost) return false;
    ids = std::move(*lost);
  }
  return std::ranges::all_of(
      ids, [&](const auto& id) { return static_cast<bool>(upload.client->abort_parts(stop, upload.key, id)); });
} catch (const std::exception&) {
  return false;  // short of memory: later
}

void Leftovers::run() {
  ::pthread_setname_np(::pthread_self(), "fs-s3-tidy");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto due = std::ranges::min_element(entries_, {}, &Entry::next);
    if (due == entries_.end()) {
      wake_.wait(lock);
      continue;
    }
    if (Clock::now() < due->next) {
      const auto until = due->next;
      wake_.wait_until(lock, until);
      continue;
    }
    Entry entry = std::move(*due);
    entries_.erase(due);
    lock.unlock();
    const bool gone = take_back(entry.upload);
    if (!gone && Clock::now() >= entry.last) {
      log_.warn("parts of an upload to bucket \"" + entry.upload.client->bucket().name +
                "\" stay in the store: it did not take them back for an hour");
    }
    lock.lock();
    if (gone || Clock::now() >= entry.last) continue;
    entry.pause = std::min<std::chrono::seconds>(entry.pause * 2, kLongestPause);
    entry.next = Clock::now() + entry.pause;
    entries_.push_back(std::move(entry));
  }
}

}  // namespace fs_s3
