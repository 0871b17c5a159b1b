// SPDX-License-Identifier: Apache-2.0
//
// What may run beside what.
#include "host/sftp/batch.h"

#include <gtest/gtest.h>

#include "host/sftp/dispatch.h"
#include "host/sftp/testing/client.h"
#include "host/sftp/testing/fake_fs.h"

namespace host::sftp {
namespace {

using Caps = plugin::FsCaps;

class BatchTest : public ::testing::Test {
 protected:
  std::shared_ptr<OpenHandle> open(const std::string& path) {
    auto handle = std::make_shared<OpenHandle>();
    handle->fs = fs;
    handle->file = std::move(
        fs->open(vfs::VirtualPath::clean(path), {.read = true, .write = true, .create = true, .attrs = {}}).value());
    return handle;
  }
  static Request read(std::shared_ptr<OpenHandle> handle, std::uint64_t offset, std::uint32_t length) {
    Request out;
    out.body = ReadFields{0, offset, length};
    out.handle = std::move(handle);
    return out;
  }
  static Request write(std::shared_ptr<OpenHandle> handle, std::uint64_t offset, std::string_view data) {
    Request out;
    out.body = WriteFields{0, offset, testing::as_bytes(data)};
    out.handle = std::move(handle);
    return out;
  }

  core::WorkerPool pool{"fake", 1, 1};
  std::shared_ptr<testing::FakeFs> fs = std::make_shared<testing::FakeFs>(pool, pool);
};

TEST_F(BatchTest, OnlyOverlapsWithAWriteConflict) {
  const auto file = open("/f");
  EXPECT_FALSE(conflict(read(file, 0, 10), read(file, 5, 10)));
  EXPECT_FALSE(conflict(write(file, 0, "aa"), write(file, 2, "aa")));
  EXPECT_FALSE(conflict(write(file, 2, "aa"), read(file, 0, 2)));
  EXPECT_TRUE(conflict(write(file, 0, "aa"), write(file, 1, "aa")));
  EXPECT_TRUE(conflict(write(file, 1, "a"), read(file, 0, 10)));
  EXPECT_TRUE(conflict(read(file, 0, 10), write(file, 9, "a")));
  EXPECT_FALSE(conflict(write(file, 0, "aa"), write(open("/g"), 0, "aa")));
}

TEST_F(BatchTest, FilesMayBeMoreParticular) {
  auto file = open("/f");
  file->append = true;
  EXPECT_TRUE(conflict(write(file, 0, "a"), write(file, 10, "a")));
  EXPECT_TRUE(conflict(write(file, 0, "a"), read(file, 10, 1)));
  fs->caps.flags = Caps::kParallelIo;
  file = open("/f");
  EXPECT_TRUE(conflict(write(file, 0, "a"), write(file, 10, "a"))) << "ascending only";
  EXPECT_FALSE(conflict(read(file, 0, 1), read(file, 10, 1)));
  fs->caps.flags = Caps::kRandomWrite;
  file = open("/f");
  EXPECT_TRUE(conflict(read(file, 0, 1), read(file, 10, 1))) << "one call at a time";
}

TEST_F(BatchTest, LanesAreForDataOnly) {
  fs->caps.max_inflight = 7;
  const auto file = open("/f");
  EXPECT_EQ(useful_lanes(read(file, 0, 1)), 7u);
  Request stat;
  stat.body = HandleFields{};
  stat.handle = file;
  EXPECT_EQ(useful_lanes(stat), 1u);
  fs->caps.max_inflight = 0;
  EXPECT_EQ(useful_lanes(read(open("/g"), 0, 1)), 1u);
}

}  // namespace
}  // namespace host::sftp
