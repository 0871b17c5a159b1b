// SPDX-License-Identifier: Apache-2.0
//
// What users have stored and may store. One UserUsage per user and process, shared by all sessions of the user; the
// provider's counters follow it with a short delay, by additions only, so that several hosts can count for one user.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "host/core/result.h"
#include "host/plugin/storage_types.h"
#include "host/users/user.h"
#include "host/vfs/counted_files.h"
#include "host/vfs/patient_mutex.h"

namespace host::vfs {

using users::Usage;

struct QuotaLimits {
  std::int64_t size = 0, files = 0;  // 0 or less: none
  std::uint64_t session_id = 0;      // whose they are: who has left waits for nothing
};

// Where the counters are kept. Both may block. kDenied from add: nothing is kept.
struct UsageStore {
  std::function<core::Result<Usage>(std::string_view username)> read;
  std::function<core::Result<void>(std::string_view username, const Usage& change)> add;
};

class Quotas;

class UserUsage : public std::enable_shared_from_this<UserUsage> {
 public:
  // `stored`: as a record says that was read some time ago; it holds until the store is asked.
  UserUsage(Quotas& quotas, std::string username, const Usage& stored);

  // Before a file is opened to write: kQuota when there is no room for one more, or for one more byte. [worker]
  core::Result<void> may_begin(const QuotaLimits& limits, bool new_file);
  // Counts bytes before they are written; kQuota, and nothing is counted, when there is no room for them.
  core::Result<void> take(const QuotaLimits& limits, std::int64_t bytes);
  // Counts one more file; kQuota, and nothing is counted, when there may not be one.
  core::Result<void> take_file(const QuotaLimits& limits);
  // The same as take() for bytes that are not to be counted yet: a file without its name.
  core::Result<void> reserve(const QuotaLimits& limits, std::int64_t bytes);
  void release(std::int64_t bytes);
  void count(const Usage& change);
  // Replaces the counters by what a scan has found. [worker]
  core::Result<void> set(const Usage& scanned);
  Usage used() const;  // without what is reserved

  // Held while something happens to a name and is counted, so that both follow the same order for all sessions. That
  // may take as long as a storage likes: other names do not wait.
  class Names;
  // Waits until nobody holds any of them; kCancelled or kTimedOut when the caller's session or time is over before.
  core::Result<Names> hold(const plugin::Op& op, std::set<core::VirtualPath> names);
  CountedFiles& open_files() { return open_files_; }

  // Brings the store up to date. False: try again later. [worker]
  bool flush();

 private:
  core::Result<void> make_room(const QuotaLimits& limits, std::int64_t bytes, std::int64_t& where);
  bool flush_held();
  void refresh();
  core::Result<void> refresh_first(const QuotaLimits& limits);
  void read_held();

  Quotas& quotas_;
  const std::string username_;
  std::mutex names_mutex_;
  std::condition_variable names_free_;
  std::set<core::VirtualPath> held_;  // under names_mutex_; one or two per call that runs
  CountedFiles open_files_;
  PatientMutex store_;  // one call of the store at a time; before mutex_
  mutable std::mutex mutex_;
  Usage stored_;               // as the store last said, or as we changed it
  Usage unwritten_;            // counted here, not yet there
  std::int64_t reserved_ = 0;  // bytes
  std::chrono::steady_clock::time_point read_at_;
  std::atomic<bool> asked_ = false;  // the store, at least once, or in vain
  bool dirty_ = false;               // in the list of Quotas
  bool failing_ = false;             // said so in the log; under store_
};

class UserUsage::Names {
 public:
  ~Names();
  Names(Names&& other) noexcept : usage_(other.usage_), names_(std::move(other.names_)) { other.names_.clear(); }
  Names& operator=(Names&&) = delete;

 private:
  friend class UserUsage;
  Names(UserUsage& usage, std::set<core::VirtualPath> names) : usage_(usage), names_(std::move(names)) {}

  UserUsage& usage_;
  std::set<core::VirtualPath> names_;
};

class Quotas {
 public:
  enum class Track { kNobody, kEverybody, kLimited };  // data_provider.track_quota

  Quotas(UsageStore store, Track track);
  ~Quotas();  // writes what is left
  Quotas(const Quotas&) = delete;
  Quotas& operator=(const Quotas&) = delete;

  // Null: nothing is counted for this user.
  std::shared_ptr<UserUsage> of(const users::User& user);
  // For scans, whoever is counted.
  std::shared_ptr<UserUsage> of(std::string_view username, const Usage& stored);
  // Writes all that is counted, before somebody reads the store. [worker]
  void flush();

 private:
  friend class UserUsage;
  void add_dirty(std::shared_ptr<UserUsage> usage);
  void run();

  const UsageStore store_;
  const Track track_;
  std::mutex mutex_;
  std::condition_variable wake_;
  static constexpr std::size_t kFirstSweep = 64;
  std::map<std::string, std::weak_ptr<UserUsage>, std::less<>> users_;
  std::size_t sweep_at_ = kFirstSweep;  // entries at which those of nobody are dropped
  std::vector<std::shared_ptr<UserUsage>> dirty_;
  bool stopping_ = false;
  std::thread writer_;
};

}  // namespace host::vfs
