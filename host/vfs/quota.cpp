// SPDX-License-Identifier: Apache-2.0
//
// Numbers in memory, and one thread, "quota", that adds them to the store a moment later: a thousand small uploads cost
// a few writes. Whoever is limited has the store read again from time to time, because other hosts may count as well.
#include "host/vfs/quota.h"

#include <algorithm>
#include <utility>

#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/core/worker_pool.h"
#include "host/plugin/session_gone.h"

namespace host::vfs {
namespace {

using core::Status;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kSender = "quota";
constexpr auto kLook = std::chrono::milliseconds(200);  // how often a wait looks whether anybody still waits for it
constexpr auto kFirstWait = std::chrono::seconds(1);    // for numbers that another session has the store asked for
constexpr auto kRetryDelay = std::chrono::seconds(1);   // for a store that fails

Usage operator+(const Usage& a, const Usage& b) { return {a.size + b.size, a.files + b.files}; }
Usage operator-(const Usage& a, const Usage& b) { return {a.size - b.size, a.files - b.files}; }

core::Error no_room(const std::string& what) { return {Status::kQuota, "the quota of " + what + " is used up"}; }

}  // namespace

UserUsage::UserUsage(Quotas& quotas, std::string username, const Usage& stored)
    : quotas_(quotas), username_(std::move(username)), stored_(stored), read_at_(Clock::now()) {}

core::Result<void> UserUsage::may_begin(const QuotaLimits& limits, bool new_file) {
  if (limits.size <= 0 && limits.files <= 0) return core::ok();
  if (auto known = refresh_first(limits); !known) return known;
  refresh();
  const std::lock_guard lock(mutex_);
  const Usage now = stored_ + unwritten_;
  if (new_file && limits.files > 0 && now.files >= limits.files)
    return no_room(std::to_string(limits.files) + " files");
  if (limits.size > 0 && now.size + reserved_ >= limits.size) return no_room(std::to_string(limits.size) + " bytes");
  return core::ok();
}

core::Result<void> UserUsage::make_room(const QuotaLimits& limits, std::int64_t bytes, std::int64_t& where) {
  if (limits.size > 0) {
    if (auto known = refresh_first(limits); !known) return known;
  }
  const std::lock_guard lock(mutex_);
  if (limits.size > 0 && bytes > limits.size - (stored_.size + unwritten_.size + reserved_))
    return no_room(std::to_string(limits.size) + " bytes");
  where += bytes;
  return core::ok();
}

core::Result<void> UserUsage::take(const QuotaLimits& limits, std::int64_t bytes) {
  if (auto room = make_room(limits, bytes, unwritten_.size); !room) return room;
  count({});
  return core::ok();
}

core::Result<void> UserUsage::take_file(const QuotaLimits& limits) {
  if (limits.files > 0) {
    if (auto known = refresh_first(limits); !known) return known;
  }
  {
    const std::lock_guard lock(mutex_);
    if (limits.files > 0 && stored_.files + unwritten_.files >= limits.files)
      return no_room(std::to_string(limits.files) + " files");
    ++unwritten_.files;
  }
  count({});
  return core::ok();
}

core::Result<void> UserUsage::reserve(const QuotaLimits& limits, std::int64_t bytes) {
  return make_room(limits, bytes, reserved_);
}

void UserUsage::release(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  reserved_ -= bytes;
}

void UserUsage::count(const Usage& change) {
  {
    const std::lock_guard lock(mutex_);
    unwritten_ = unwritten_ + change;
    if (dirty_ || unwritten_ == Usage{}) return;
    dirty_ = true;
  }
  quotas_.add_dirty(shared_from_this());
}

Usage UserUsage::used() const {
  const std::lock_guard lock(mutex_);
  return stored_ + unwritten_;
}

core::Result<void> UserUsage::set(const Usage& scanned) {
  const std::lock_guard only(store_);
  if (!flush_held()) return core::Error(Status::kBusy, "the data provider does not take the counters");
  auto before = quotas_.store_.read(username_);
  if (!before) return before.error();
  if (auto done = quotas_.store_.add(username_, scanned - *before); !done) return done;
  const std::lock_guard lock(mutex_);
  stored_ = scanned;
  read_at_ = Clock::now();
  asked_ = true;
  return core::ok();
}

core::Result<UserUsage::Names> UserUsage::hold(const plugin::Op& op, std::set<core::VirtualPath> names) {
  std::unique_lock lock(names_mutex_);
  // All at once: nobody waits who holds one already.
  const auto free = [&] { return std::ranges::none_of(names, [&](const auto& name) { return held_.contains(name); }); };
  while (!names_free_.wait_for(lock, kLook, free)) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    if (plugin::session_gone(op.session_id)) return Status::kCancelled;
    if (op.deadline_ns != 0 && now >= std::chrono::nanoseconds(op.deadline_ns))
      return core::Error(Status::kTimedOut, "somebody else was busy with the name all the time");
  }
  held_.insert(names.begin(), names.end());
  return Names(*this, std::move(names));
}

UserUsage::Names::~Names() {
  if (names_.empty()) return;  // moved from, perhaps while the mutex is held
  const std::lock_guard lock(usage_.names_mutex_);
  for (const auto& name : names_) usage_.held_.erase(name);
  usage_.names_free_.notify_all();
}

bool UserUsage::flush() {
  const std::lock_guard only(store_);
  return flush_held();
}

bool UserUsage::flush_held() {
  Usage change;
  {
    const std::lock_guard lock(mutex_);
    change = unwritten_;
    dirty_ = false;
  }
  if (change == Usage{}) return true;
  const auto done = quotas_.store_.add(username_, change);
  // Denied: the operator keeps the counters himself. Not found: the account was deleted.
  const bool dropped = !done && (done.error().status == Status::kDenied || done.error().status == Status::kNotFound);
  if (!done && !dropped) {
    if (!std::exchange(failing_, true)) {
      core::log::warn(kSender, "",
                      "usage of user \"" + username_ +
                          "\" cannot be stored, it is tried again and again: " + done.error().message());
    }
    return false;
  }
  failing_ = false;
  const std::lock_guard lock(mutex_);
  unwritten_ = unwritten_ - change;
  stored_ = stored_ + change;
  return true;
}

// A store that does not answer leaves the last known numbers in force.
void UserUsage::refresh() {
  // Whoever finds the store at work goes on with the numbers there are: a provider that hangs must not hold up files.
  const std::unique_lock only(store_, std::try_to_lock);
  if (!only || Clock::now() - read_at_ < core::limits::kUsageFresh) return;
  read_held();
}

// An account's record is read at the beginning of a login; another session may have counted after that, and ended.
// Where somebody else asks and gets no answer, the record holds, for everybody, until the store is free again.
core::Result<void> UserUsage::refresh_first(const QuotaLimits& limits) {
  const auto end = Clock::now() + kFirstWait;
  while (!asked_) {
    if (const std::unique_lock only(store_, kLook); only) {
      if (!asked_) read_held();
      return core::ok();
    }
    if (plugin::session_gone(limits.session_id)) return Status::kCancelled;
    if (Clock::now() >= end) asked_ = true;
  }
  return core::ok();
}

void UserUsage::read_held() {
  flush_held();
  const auto stored = quotas_.store_.read(username_);
  const std::lock_guard lock(mutex_);
  read_at_ = Clock::now();
  asked_ = true;
  if (stored) stored_ = *stored;
}

Quotas::Quotas(UsageStore store, Track track) : store_(std::move(store)), track_(track), writer_([this] { run(); }) {}

Quotas::~Quotas() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  writer_.join();
}

std::shared_ptr<UserUsage> Quotas::of(const users::User& user) {
  const bool limited = user.quota_size > 0 || user.quota_files > 0;
  if (track_ == Track::kNobody) {
    if (limited) {
      core::log::warn(
          kSender, "",
          "user \"" + user.username + "\" has a quota that is not enforced: data_provider.track_quota is 0");
    }
    return nullptr;
  }
  if (track_ == Track::kLimited && !limited) return nullptr;
  return of(user.username, {user.used_quota_size, user.used_quota_files});
}

std::shared_ptr<UserUsage> Quotas::of(std::string_view username, const Usage& stored) {
  const std::lock_guard lock(mutex_);
  if (users_.size() >= sweep_at_) {
    std::erase_if(users_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = 2 * users_.size() + kFirstSweep;
  }
  auto& known = users_[std::string(username)];
  auto usage = known.lock();
  if (!usage) known = usage = std::make_shared<UserUsage>(*this, std::string(username), stored);
  return usage;
}

void Quotas::add_dirty(std::shared_ptr<UserUsage> usage) {
  const std::lock_guard lock(mutex_);
  dirty_.push_back(std::move(usage));
  if (dirty_.size() == 1) wake_.notify_one();
}

void Quotas::flush() {
  std::vector<std::shared_ptr<UserUsage>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, known] : users_) {
      if (auto usage = known.lock()) all.push_back(std::move(usage));
    }
  }
  for (const auto& usage : all) usage->flush();
}

void Quotas::run() {
  core::set_thread_name("quota");
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !dirty_.empty(); });
    wake_.wait_for(lock, core::limits::kUsageWriteDelay, [this] { return stopping_; });
    const auto due = std::exchange(dirty_, {});
    const bool last = stopping_;
    lock.unlock();
    bool failed = false;
    for (const auto& usage : due) {
      if (usage->flush() || last) continue;
      failed = true;
      usage->count({});  // back in the list
    }
    lock.lock();
    if (last) return;
    if (failed) wake_.wait_for(lock, kRetryDelay, [this] { return stopping_; });
  }
}

}  // namespace host::vfs
