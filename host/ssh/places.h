// SPDX-License-Identifier: Apache-2.0
//
// Counts connections before their login, in total and per address, so that one address cannot take all the places; and
// mounts under way, per user. Any thread.
#pragma once

#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace host::ssh {

class Places {
 public:
  // One place, given back when it goes, or before. Must not outlive the Places.
  class Place {
   public:
    Place(Place&& other) noexcept : from_(other.from_.exchange(nullptr)), key_(std::move(other.key_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() { give_back(); }
    void give_back();

   private:
    friend class Places;
    Place(Places* from, std::string key) : from_(from), key_(std::move(key)) {}
    std::atomic<Places*> from_;
    std::string key_;
  };

  explicit Places(std::size_t max_total) : max_total_(max_total) {}
  // Nothing when all places are taken, or `max_of_key` with this key are.
  std::optional<Place> enter(std::string key, std::size_t max_of_key);

 private:
  void leave(const std::string& key);

  const std::size_t max_total_;
  std::mutex mutex_;
  std::size_t total_ = 0;
  std::unordered_map<std::string, std::size_t> taken_;
};

// An IPv6 address counts by its /64, which one customer has whole.
std::string key_of(const boost::asio::ip::address& address);

}  // namespace host::ssh
