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
constexpr auto kLastPatience = std::chrono::seconds(2);

}  // namespace

Leftovers::~Leftovers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Leftovers::add(std::shared_ptr<S3Client> client, LeftUpload upload) {
  if (client == nullptr) return;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  const auto pause = upload.id.empty() ? kNobodysAfter : kFirstPause;
  Entry entry{std::move(client), std::move(upload), now + pause, now + kGivenUpAfter, pause};
  if (stopping_ || entries_.size() >= kMaxLeftovers) {
    say_stays(entry, stopping_ ? "the server stops" : "there are too many of these");
    return;
  }
  entries_.push_back(std::move(entry));
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {  // the next one tries again
    }
  }
  wake_.notify_all();
}

void Leftovers::say_stays(const Entry& entry, const char* why) const {
  log_.warn("parts of an upload to bucket \"" + entry.client->bucket().name + "\" may stay in the store: " + why);
}

// True: nothing of it is there any more.
bool Leftovers::take_back(const Entry& entry, const Stop& stop, bool hurry) try {
  std::vector<std::string> ids{entry.upload.id};
  if (entry.upload.id.empty()) {
    auto lost = entry.client->uploads_without_parts(stop, entry.upload.key, entry.upload.from_ns, entry.upload.to_ns);
    if (!lost) return false;
    ids = std::move(*lost);
  }
  return std::ranges::all_of(ids, [&](const auto& id) {
    return static_cast<bool>(entry.client->abort_parts(stop, entry.upload.key, id, hurry));
  });
} catch (const std::exception&) {
  return false;  // short of memory: later
}

// Of what has an id: anything else might be somebody's who is about to send the first part.
void Leftovers::try_a_last_time() {
  const auto until = Clock::now() + kLastPatience;
  for (const auto& entry : entries_) {
    const auto late = [&] { return Clock::now() >= until; };
    if (!late() && !entry.upload.id.empty() && take_back(entry, late, true)) continue;
    say_stays(entry, "the server stops");
  }
}

void Leftovers::run() {
  ::pthread_setname_np(::pthread_self(), "fs-s3-tidy");
  const Stop stop = [this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  };
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
    const bool gone = take_back(entry, stop, false) && --entry.upload.looks <= 0;
    const bool last = !gone && Clock::now() >= entry.last;
    if (last) say_stays(entry, "it did not take them back for an hour");
    lock.lock();
    if (gone || last) continue;
    entry.pause = std::min<std::chrono::seconds>(entry.pause * 2, kLongestPause);
    entry.next = Clock::now() + entry.pause;
    entries_.push_back(std::move(entry));
  }
  lock.unlock();  // nothing is added any more
  try_a_last_time();
}

}  // namespace fs_s3
