// SPDX-License-Identifier: Apache-2.0
//
// What one session is moving right now, for whoever lists sessions. A transfer adds to its own counters and shares
// nothing while data flows; the lock is for opening, closing and listing.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace host::vfs {

struct TransferInfo {
  bool upload = false;
  std::string path;                                   // as the client sees it
  std::int64_t started_ms = 0, last_activity_ms = 0;  // since 1970
  std::uint64_t bytes = 0;
};

// Any thread.
class Activity {
 public:
  // One transfer while it is open.
  class Entry {
   public:
    // `activity` may be null: nobody is told then.
    Entry(std::shared_ptr<Activity> activity, bool upload, std::string path);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    void add(std::uint64_t bytes);

   private:
    friend class Activity;
    TransferInfo info() const;

    const std::shared_ptr<Activity> activity_;
    const bool upload_;
    const std::string path_;
    const std::int64_t started_ms_;
    std::atomic<std::int64_t> last_ms_;
    std::atomic<std::uint64_t> bytes_ = 0;
  };

  std::vector<TransferInfo> transfers() const;
  // The upload to that path that is open; the one that brought most, should there be several.
  std::optional<TransferInfo> upload_to(std::string_view path) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_set<const Entry*> open_;
};

// Now, in ms since 1970.
std::int64_t wall_clock_ms();

}  // namespace host::vfs
