// SPDX-License-Identifier: Apache-2.0
//
// Counts connections that have not logged in yet, in total and per address, so that one address cannot take all the
// places. Any thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace host::ssh {

class Admission {
 public:
  // One place, given back when it goes. Must not outlive the Admission.
  class Place {
   public:
    Place(Place&& other) noexcept : from_(std::exchange(other.from_, nullptr)), key_(std::move(other.key_)) {}
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    friend class Admission;
    Place(Admission* from, std::string key) : from_(from), key_(std::move(key)) {}
    Admission* from_;
    std::string key_;
  };

  Admission(std::size_t max_total, std::size_t max_per_address)
      : max_total_(max_total), max_per_address_(max_per_address) {}
  // Nothing when all places, or those of this address, are taken. An IPv6 address counts by its /64, which one customer
  // has whole.
  std::optional<Place> enter(const boost::asio::ip::address& address);

 private:
  void leave(const std::string& key);

  const std::size_t max_total_, max_per_address_;
  std::mutex mutex_;
  std::size_t total_ = 0;
  std::unordered_map<std::string, std::size_t> per_address_;
};

}  // namespace host::ssh
