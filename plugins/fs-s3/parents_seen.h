// SPDX-License-Identifier: Apache-2.0
//
// Names that were no object's a moment ago, so that what lies below them may be made: asking again for each of many
// files in one directory would cost as many requests. One for all mounts, so that each hears what another has made or
// taken away; what other programs do is seen within a minute. Any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

namespace fs_s3 {

class ParentsSeen {
 public:
  bool knows(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = seen_.find(name);
    return found != seen_.end() && Clock::now() < found->second;
  }
  // Of what was forgotten so far; goes along with what is asked for after it.
  std::uint64_t forgotten() {
    const std::lock_guard lock(mutex_);
    return forgotten_;
  }
  // Unless it was forgotten since: what was seen may not be so any more.
  void add(const std::string& name, std::uint64_t forgotten_before) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t since = forgotten_ - forgotten_before;
    if (since > last_.size()) return;  // nobody knows
    const auto about_this = [&](const std::string& other) { return name == other || name.starts_with(below(other)); };
    if (std::any_of(last_.end() - static_cast<std::ptrdiff_t>(since), last_.end(), about_this)) return;
    if (seen_.size() >= kMost) seen_.clear();
    seen_[name] = Clock::now() + kValid;
  }
  // And what lies below it.
  void forget(const std::string& name) {
    const std::lock_guard lock(mutex_);
    ++forgotten_;
    last_.push_back(name);
    if (last_.size() > kRemembered) last_.pop_front();
    seen_.erase(name);
    auto at = seen_.lower_bound(below(name));
    while (at != seen_.end() && at->first.starts_with(below(name))) at = seen_.erase(at);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMost = 1000, kRemembered = 100;
  static constexpr auto kValid = std::chrono::seconds(60);
  static std::string below(const std::string& name) { return name.ends_with('/') ? name : name + "/"; }

  std::mutex mutex_;
  std::map<std::string, Clock::time_point> seen_;
  std::uint64_t forgotten_ = 0;
  std::deque<std::string> last_;  // of what was forgotten
};

}  // namespace fs_s3
