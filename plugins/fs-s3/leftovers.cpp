// SPDX-License-Identifier: Apache-2.0
//
// One thread that sleeps until something is due. Each is tried after longer and longer pauses, for an hour.
#include "leftovers.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <map>
#include <system_error>
#include <utility>

namespace fs_s3 {
namespace {

constexpr auto kFirstPause = std::chrono::seconds(3), kLongestPause = std::chrono::seconds(300);
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
  const auto pause = upload.id.empty() ? nobodys_after_ : kFirstPause;
  Entry entry{std::move(client), std::move(upload), now + pause, now + kGivenUpAfter, pause};
  if (stopping_) return say_stays(entry, "the server stops");
  if (entries_.size() >= max_) {
    const auto out = of_fullest_store(entry.client->store());
    say_stays(out != entries_.end() ? *out : entry, "there are too many of these");
    if (out == entries_.end()) return;
    entries_.erase(out);
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

// The one that was tried longest; none: the newcomer's has as many.
std::deque<Leftovers::Entry>::iterator Leftovers::of_fullest_store(const std::string& newcomer) {
  std::map<std::string, std::size_t> counts;
  for (const auto& entry : entries_) ++counts[entry.client->store()];
  const auto fullest =
      std::ranges::max_element(counts, {}, [](const auto& count) -> const std::size_t& { return count.second; });
  if (fullest == counts.end() || fullest->second <= counts[newcomer]) return entries_.end();
  auto found = entries_.end();
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    const bool candidate = at->client->store() == fullest->first;
    if (candidate && (found == entries_.end() || at->last < found->last)) found = at;
  }
  return found;
}

// One that does not answer is not asked about each in turn while those of others wait.
void Leftovers::put_off(const std::string& store, Clock::time_point until) {
  for (auto& entry : entries_) {
    if (entry.client->store() == store) entry.next = std::max(entry.next, until);
  }
}

void Leftovers::say_stays(const Entry& entry, const char* why) const {
  log_.warn("parts of an upload to bucket \"" + entry.client->bucket().name + "\" may stay in the store: " + why);
}

// All: nothing of it is there any more.
Leftovers::Took Leftovers::take_back(const Entry& entry, const Stop& stop, bool hurry) try {
  const auto failed = [](const Failure& failure) {
    const bool refused = failure.native == HttpClient::kNotSent || failure.native == kUnavailable;
    const bool silent = in_doubt(failure) || refused;
    return silent ? Took::kNoAnswer : Took::kNotAll;
  };
  std::vector<std::string> ids{entry.upload.id};
  if (entry.upload.id.empty()) {
    auto lost = entry.client->uploads_without_parts(stop, entry.upload.key, entry.upload.from_ns, entry.upload.to_ns);
    if (!lost) return failed(lost.failure());
    ids = std::move(*lost);
  }
  for (const auto& id : ids) {
    auto aborted = entry.client->abort_parts(stop, entry.upload.key, id, hurry);
    if (!aborted) return failed(aborted.failure());
  }
  return Took::kAll;
} catch (const std::exception&) {
  return Took::kNotAll;  // short of memory: later
}

// Of what has an id: anything else might be somebody's who is about to send the first part. Those first that were not
// tried in vain before.
void Leftovers::try_a_last_time() {
  const auto until = Clock::now() + kLastPatience;
  std::ranges::stable_sort(entries_, {}, &Entry::pause);
  for (const auto& entry : entries_) {
    const auto late = [&] { return Clock::now() >= until; };
    if (!late() && !entry.upload.id.empty() && take_back(entry, late, true) == Took::kAll) continue;
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
    const Took took = take_back(entry, stop, false);
    const bool gone = took == Took::kAll && --entry.upload.looks <= 0;
    const bool last = !gone && Clock::now() >= entry.last;
    if (last) say_stays(entry, "it did not take them back for an hour");
    lock.lock();
    entry.pause = std::min<std::chrono::seconds>(entry.pause * 2, kLongestPause);
    entry.next = Clock::now() + entry.pause;
    if (took == Took::kNoAnswer) put_off(entry.client->store(), entry.next);
    if (gone || last) continue;
    entries_.push_back(std::move(entry));
  }
  lock.unlock();  // nothing is added any more
  try_a_last_time();
}

}  // namespace fs_s3
