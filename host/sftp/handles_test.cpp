// SPDX-License-Identifier: Apache-2.0
#include "host/sftp/handles.h"

#include <gtest/gtest.h>

#include <set>

#include "host/core/limits.h"
#include "host/sftp/testing/fake_fs.h"

namespace host::sftp {
namespace {

class HandlesTest : public ::testing::Test {
 protected:
  std::shared_ptr<OpenHandle> open(const std::string& path, bool write = false) {
    auto handle = handles.reserve(fs, vfs::VirtualPath::clean(path));
    if (!handle) return nullptr;
    handle->file =
        std::move(fs->open(handle->path, {.read = true, .write = write, .create = true, .attrs = {}}).value());
    handles.settle(*handle);
    return handle;
  }

  core::WorkerPool pool{"fake", 1, 1};
  std::shared_ptr<testing::FakeFs> fs = std::make_shared<testing::FakeFs>(pool, pool);
  std::shared_ptr<Usage> usage = std::make_shared<Usage>();
  Handles handles{usage};
};

TEST_F(HandlesTest, AHandleIsFoundOnlyWhileOpen) {
  auto handle = handles.reserve(fs, {});
  const auto id = handle->id;
  EXPECT_NE(id, 0u);
  EXPECT_EQ(handles.find(id), nullptr) << "still opening";
  handles.settle(*handle);
  EXPECT_EQ(handles.find(id), nullptr) << "nothing came of it";
  EXPECT_EQ(handles.size(), 0u);

  handle = open("/a");
  EXPECT_EQ(handles.find(handle->id), handle);
  handle->state = OpenHandle::State::kClosing;
  EXPECT_EQ(handles.find(handle->id), nullptr);
  handles.release(*handle);
  EXPECT_EQ(handles.size(), 0u);
}

TEST_F(HandlesTest, StaleAndForeignIdsAreUnknown) {
  const auto keeper = open("/keep");
  const auto first = open("/a");
  const auto stale = first->id;
  handles.release(*first);
  const auto second = open("/b");
  EXPECT_EQ(second->id >> 32, stale >> 32) << "the slot is used again";
  EXPECT_EQ(handles.find(stale), nullptr);
  for (const HandleId id : {HandleId{0}, ~HandleId{0}, HandleId{7} << 32 | 1}) EXPECT_EQ(handles.find(id), nullptr);
}

TEST_F(HandlesTest, IdsDoNotComeBackAfterTheTableWasEmpty) {
  std::set<HandleId> seen;
  for (int round = 0; round < 10; ++round) {
    const auto handle = open("/a");
    EXPECT_TRUE(seen.insert(handle->id).second);
    handles.release(*handle);
  }
}

TEST_F(HandlesTest, CountsFilesAndUploads) {
  const auto download = open("/a");
  const auto upload = open("/b", true);
  EXPECT_EQ(handles.files(), 2u);
  EXPECT_EQ(handles.uploads(), 1u);
  upload->file->close(false).value();
  upload->file.reset();
  handles.release(*upload);
  EXPECT_EQ(handles.files(), 1u);
  EXPECT_EQ(handles.uploads(), 0u);
}

TEST_F(HandlesTest, HasALimit) {
  for (std::uint32_t count = 0; count < core::limits::kMaxOpenHandles; ++count) ASSERT_NE(open("/a"), nullptr);
  EXPECT_EQ(handles.reserve(fs, {}), nullptr);
  handles.clear();
  EXPECT_NE(handles.reserve(fs, {}), nullptr);
}

TEST_F(HandlesTest, WhatNobodyClosedIsClosedAsLostOnceOnItsPool) {
  const auto left = open("/left");
  auto held = open("/held");
  handles.clear();
  pool.stop();
  EXPECT_EQ(fs->gate.count("lost"), 0u) << "both are still held";
  held.reset();  // the pool is gone: at once
  EXPECT_EQ(fs->gate.count("lost"), 1u);
  EXPECT_EQ(fs->gate.count("never_closed"), 0u);
}

}  // namespace
}  // namespace host::sftp
