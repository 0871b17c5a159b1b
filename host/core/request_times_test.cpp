// SPDX-License-Identifier: Apache-2.0
#include "host/core/request_times.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace host::core {
namespace {

using std::chrono::milliseconds;

TEST(RequestTimes, EachKindIsCountedForItselfAndThereAreFew) {
  request_times::note("one", "Get", true, milliseconds(2));
  request_times::note("one", "Get", false, milliseconds(3));
  request_times::note("one", "Put", true, milliseconds(4));
  const auto all = request_times::read();
  const auto get = std::ranges::find(all, "Get", &request_times::Reading::request);
  ASSERT_NE(get, all.end());
  EXPECT_EQ(get->plugin, "one");
  EXPECT_EQ(get->times.count(), 2U);
  EXPECT_EQ(get->times.sum_ns, 5'000'000U);
  EXPECT_EQ(get->failures, 1U);
  EXPECT_EQ(std::ranges::find(all, "Put", &request_times::Reading::request)->failures, 0U);
  // A plugin that invents names fills no memory.
  for (int i = 0; i < 2000; ++i) request_times::note("two", std::to_string(i), true, milliseconds(1));
  EXPECT_LT(request_times::read().size(), 1000U);
}

}  // namespace
}  // namespace host::core
