// SPDX-License-Identifier: Apache-2.0
//
// A map of texts to T that holds at most so many and forgets what was longest untouched. Not for several threads.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace host::auth {

template <class T>
class RecentTable {
 public:
  struct Entry {
    std::string key;
    T value;
  };

  explicit RecentTable(std::size_t most) : most_(most) {}

  T* find(std::string_view key) {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->value;
  }
  // Made when missing. Good until the next call.
  T& touch(std::string_view key) {
    if (const auto found = index_.find(key); found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
    } else {
      if (index_.size() >= most_) erase(entries_.back().key);
      entries_.push_front({std::string(key), T{}});
      index_.emplace(entries_.front().key, entries_.begin());
    }
    return entries_.front().value;
  }
  bool erase(std::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return false;
    const auto entry = found->second;
    index_.erase(found);
    entries_.erase(entry);
    return true;
  }
  // Removes those for which `unwanted(entry)` holds; how many.
  template <class Predicate>
  std::size_t erase_if(Predicate unwanted) {
    std::size_t count = 0;
    for (auto at = entries_.begin(); at != entries_.end();) {
      if (unwanted(*at)) {
        index_.erase(at->key);
        at = entries_.erase(at);
        ++count;
      } else {
        ++at;
      }
    }
    return count;
  }
  void clear() {
    index_.clear();
    entries_.clear();
  }
  const std::list<Entry>& entries() const { return entries_; }

 private:
  const std::size_t most_;
  std::list<Entry> entries_;                                                         // last touched first
  std::unordered_map<std::string_view, typename std::list<Entry>::iterator> index_;  // keys lie in entries_
};

}  // namespace host::auth
