// SPDX-License-Identifier: Apache-2.0
//
// When a request that failed is tried again: after random pauses whose upper bound doubles, so that many clients of a
// store in trouble do not come back together.
#pragma once

#include <chrono>
#include <optional>

#include "object-common/stop.h"

namespace object_common {

struct RetryPolicy {
  int attempts = 5;
  std::chrono::milliseconds first{100};
  std::chrono::milliseconds longest{5000};
  std::chrono::seconds total{60};  // no attempt begins later
};

class Backoff {
 public:
  explicit Backoff(const RetryPolicy& policy)
      : policy_(policy), until_(std::chrono::steady_clock::now() + policy.total), bound_(policy.first) {}

  // How long to wait before the next attempt; nothing: that was the last.
  std::optional<std::chrono::milliseconds> next();
  // Waits that long. False: given up, by the policy or by `stop`.
  bool wait(const Stop& stop);
  std::chrono::steady_clock::time_point until() const { return until_; }

 private:
  const RetryPolicy policy_;
  const std::chrono::steady_clock::time_point until_;
  std::chrono::milliseconds bound_;
  int done_ = 1;
};

}  // namespace object_common
