// SPDX-License-Identifier: Apache-2.0
//
// What a listing of sessions sees of transfers.
#include "host/vfs/activity.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace host::vfs {
namespace {

TEST(Activity, ShowsWhatIsOpen) {
  const auto activity = std::make_shared<Activity>();
  const auto begun = wall_clock_ms();
  {
    Activity::Entry up(activity, true, "/up");
    const Activity::Entry down(activity, false, "/down");
    Activity::Entry unseen(nullptr, true, "/unseen");
    unseen.add(1);
    up.add(5);
    up.add(7);
    auto all = activity->transfers();
    ASSERT_EQ(all.size(), 2u);
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.path > b.path; });
    EXPECT_EQ(all[0].path, "/up");
    EXPECT_TRUE(all[0].upload);
    EXPECT_EQ(all[0].bytes, 12u);
    EXPECT_GE(all[0].started_ms, begun);
    EXPECT_GE(all[0].last_activity_ms, all[0].started_ms);
    EXPECT_FALSE(all[1].upload);
    EXPECT_EQ(all[1].bytes, 0u);
  }
  EXPECT_TRUE(activity->transfers().empty());
}

}  // namespace
}  // namespace host::vfs
