// SPDX-License-Identifier: Apache-2.0
//
// Answers that let somebody in, for a moment. What was shown is kept as a keyed digest only. Any thread.
#pragma once

#include <sallyport/auth.h>

#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace auth_external {

class Cache {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Cache(std::chrono::seconds time);
  std::optional<std::string> find(const sp_auth_request& request);
  void keep(const sp_auth_request& request, const std::string& answer);

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Entry {
    std::string answer;
    Clock::time_point until;
  };
  Digest digest(const sp_auth_request& request) const;

  const std::chrono::seconds time_;
  Digest secret_{};
  std::mutex mutex_;
  std::map<Digest, Entry> entries_;  // under mutex_
};

}  // namespace auth_external
