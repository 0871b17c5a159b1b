// SPDX-License-Identifier: Apache-2.0
#include "host/plugin/storage_stats.h"

#include <gtest/gtest.h>
#include <sallyport/base.h>

namespace host::plugin {
namespace {

TEST(StorageStats, CallsAndTheStoragesFailures) {
  StorageStats stats;
  for (const auto status : {SP_OK, SP_E_NOT_FOUND, SP_E_IO, SP_E_WOULD_BLOCK}) {
    EXPECT_EQ(stats.timed(Call::kRead, [&] { return status; }), status);
  }
  EXPECT_EQ(stats.times(Call::kRead).count(), 3u) << "what would block is asked again";
  EXPECT_EQ(stats.failures(Call::kRead), 1u);
  EXPECT_EQ(stats.times(Call::kWrite).count(), 0u);
  EXPECT_EQ(call_name(Call::kClose), "close");
}

TEST(StorageStats, TransfersByProtocolAndDirection) {
  StorageStats stats;
  stats.note_transfer("SCP", true, true, 10);
  stats.note_transfer("SCP", true, false, 5);
  stats.note_transfer("SCP", false, true, 3);
  stats.note_transfer("scan", true, true, 1000);
  EXPECT_EQ(stats.moved(1, true).good, 1u);
  EXPECT_EQ(stats.moved(1, true).failed, 1u);
  EXPECT_EQ(stats.moved(1, true).bytes, 15u);
  EXPECT_EQ(stats.moved(1, false).bytes, 3u);
  EXPECT_EQ(stats.moved(0, true).bytes + stats.moved(2, true).bytes, 0u);
}

}  // namespace
}  // namespace host::plugin
