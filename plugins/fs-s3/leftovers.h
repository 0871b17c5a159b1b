// SPDX-License-Identifier: Apache-2.0
//
// Uploads that were given up while the store did not answer: their parts would stay there, unseen and paid for. They
// are taken back later.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <sallyport/cpp/base.hpp>
#include <string>
#include <thread>

#include "s3_client.h"

namespace fs_s3 {

// Any thread. Its own, "fs-s3-tidy", there is only when there was something to do.
class Leftovers {
 public:
  static constexpr std::size_t kMost = 1000;
  // Whoever begins an upload sends its first part soon; one without any for so long is not somebody else's.
  static constexpr std::chrono::seconds kNobodysAfter = std::chrono::minutes(15);
  explicit Leftovers(const sp_host& host, std::size_t most = kMost, std::chrono::seconds nobodys_after = kNobodysAfter)
      : log_(&host, "fs-s3"), max_(most), nobodys_after_(nobodys_after) {}
  ~Leftovers();  // tries once more; what is left then is for the bucket's own rules
  Leftovers(const Leftovers&) = delete;
  Leftovers& operator=(const Leftovers&) = delete;

  // When there are too many, the store with most of them makes room: one that does not answer crowds out no other.
  void add(std::shared_ptr<S3Client> client, LeftUpload upload);

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    std::shared_ptr<S3Client> client;
    LeftUpload upload;
    Clock::time_point next, last;
    std::chrono::seconds pause;
  };
  void run();
  std::deque<Entry>::iterator of_fullest_store(const std::string& newcomer);  // under mutex_
  void put_off(const std::string& store, Clock::time_point until);            // under mutex_
  enum class Took { kAll, kNotAll, kNoAnswer };
  static Took take_back(const Entry& entry, const Stop& stop, bool hurry);
  void try_a_last_time();
  void say_stays(const Entry& entry, const char* why) const;

  const sallyport::Log log_;
  const std::size_t max_;
  const std::chrono::seconds nobodys_after_;  // of an upload whose id nobody knows
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> entries_;  // under mutex_, as the rest
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fs_s3
