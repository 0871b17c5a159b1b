// SPDX-License-Identifier: Apache-2.0
#include "host/vfs/transfer.h"

#include <array>

#include "host/vfs/fixture_test.h"

namespace host::vfs {
namespace {

using core::Status;
using plugin::FsCaps;
using testing::bytes;
using testing::path;
using testing::status_of;

using testing::kGet;
using testing::kPut;
using testing::TransferTest;

TEST_F(TransferTest, ACleanUploadIsCommittedAndLogged) {
  auto file = open("/up", kPut);
  EXPECT_TRUE(file->writable());
  EXPECT_FALSE(file->readable());
  ASSERT_TRUE(file->write_at(bytes("hello "), 0));
  ASSERT_TRUE(file->write_at(bytes("world"), 6));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->close(false));
  file.reset();
  EXPECT_EQ(disk_.data("/up"), "hello world");
  EXPECT_EQ(disk_.closed_commit, 1);
  EXPECT_EQ(disk_.closed_abort, 0);
  const auto lines = log_lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["level"], "info");
  EXPECT_EQ(lines[0]["sender"], "Upload");
  EXPECT_EQ(lines[0]["size_bytes"], 11);
  EXPECT_GE(lines[0]["elapsed_ms"], 0);
  EXPECT_EQ(lines[0]["username"], "alice");
  EXPECT_EQ(lines[0]["file_path"], "/srv/home/up");
  EXPECT_EQ(lines[0]["connection_id"], "c0ffee");
  EXPECT_EQ(lines[0]["protocol"], "SFTP");
}

TEST_F(TransferTest, ACleanDownloadIsLogged) {
  disk_.file("/down", "hello");
  auto file = open("/down", kGet);
  EXPECT_EQ(read(*file), "hello");
  EXPECT_EQ(read(*file, 5), "");
  ASSERT_TRUE(file->close(false));
  const auto lines = log_lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["sender"], "Download");
  EXPECT_EQ(lines[0]["size_bytes"], 5);
}

TEST_F(TransferTest, AFailedWriteAbortsAndIsReportedAtClose) {
  auto file = open("/up", kPut);
  ASSERT_TRUE(file->write_at(bytes("a"), 0));
  disk_.fail["write"] = SP_E_NO_SPACE;
  EXPECT_EQ(status_of(file->write_at(bytes("b"), 1)), Status::kNoSpace);
  disk_.fail.clear();
  EXPECT_EQ(status_of(file->write_at(bytes("c"), 2)), Status::kNoSpace) << "the first error stays";
  EXPECT_EQ(status_of(file->close(false)), Status::kNoSpace);
  EXPECT_EQ(disk_.closed_commit, 0);
  EXPECT_EQ(disk_.closed_abort, 1);
  const auto lines = log_lines();
  ASSERT_EQ(lines.size(), 1U) << "one line for the operator, no transfer line";
  EXPECT_EQ(lines[0]["level"], "warn");
  EXPECT_EQ(lines[0]["message"], "upload \"/srv/home/up\" failed: the disk is on fire");
}

TEST_F(TransferTest, AFailedCommitIsReportedAndNotLoggedAsAnUpload) {
  auto file = open("/up", kPut);
  disk_.fail["close"] = SP_E_IO;
  EXPECT_EQ(status_of(file->close(false)), Status::kIo);
  const auto lines = log_lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["sender"], "vfs");
}

TEST_F(TransferTest, AFailedSyncFailsTheUpload) {
  auto file = open("/up", kPut);
  disk_.fail["sync"] = SP_E_IO;
  EXPECT_EQ(status_of(file->sync()), Status::kIo);
  EXPECT_EQ(status_of(file->close(false)), Status::kIo);
  EXPECT_EQ(disk_.closed_abort, 1);
}

TEST_F(TransferTest, ALostClientAborts) {
  auto file = open("/up", kPut);
  ASSERT_TRUE(file->write_at(bytes("abc"), 0));
  ASSERT_TRUE(file->close(true));
  EXPECT_EQ(disk_.closed_abort, 1);
  const auto lines = log_lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["message"], "upload \"/srv/home/up\" interrupted after 3 bytes");
}

TEST_F(TransferTest, AForgottenFileIsAbortedAndKeepsTheMountUntilThen) {
  auto file = open("/up", kPut);
  session_.reset();
  EXPECT_TRUE(disk_.mounted);
  file.reset();
  EXPECT_EQ(disk_.closed_abort, 1);
  EXPECT_FALSE(disk_.mounted);
  EXPECT_EQ(log_lines().size(), 1U);
}

TEST_F(TransferTest, HandlesDoOnlyWhatTheyWereOpenedFor) {
  disk_.file("/f");
  auto get = open("/f", kGet);
  EXPECT_EQ(status_of(get->write_at(bytes("x"), 0)), Status::kDenied);
  Attrs size;
  size.valid = Attrs::kSize;
  EXPECT_EQ(status_of(get->set_attrs(size)), Status::kDenied);
  auto put = open("/g", kPut);
  std::array<std::byte, 4> room{};
  EXPECT_EQ(status_of(put->read_at(room, 0)), Status::kDenied);
  EXPECT_TRUE(get->close(false)) << "a refused call is not a failed transfer";
}

TEST_F(TransferTest, OneHandleReadsAndWritesWhereRightsAllow) {
  auto file = open("/f", {.read = true, .write = true, .create = true});
  ASSERT_TRUE(file->write_at(bytes("abc"), 0));
  EXPECT_EQ(read(*file), "abc");
  login(users::kUpload | users::kOverwrite);
  file = open("/f", {.read = true, .write = true, .create = true});
  EXPECT_EQ(read(*file), "?");
  EXPECT_TRUE(file->write_at(bytes("x"), 0));
}

TEST_F(TransferTest, AttributesOfAnOpenFileFollowTheRules) {
  login(users::kUpload | users::kChmod);
  auto file = open("/f", kPut);
  Attrs attrs;
  attrs.valid = Attrs::kSize | Attrs::kPerms;
  attrs.size = 9;
  attrs.perms = 0600;
  EXPECT_TRUE(file->set_attrs(attrs)) << "the size of a file one may write is part of writing it";
  EXPECT_EQ(disk_.data("/f").size(), 9U);
  attrs.valid = Attrs::kMtime;
  EXPECT_EQ(status_of(file->set_attrs(attrs)), Status::kDenied);
  EXPECT_EQ(status_of(file->stat()), Status::kDenied) << "no list right";
}

TEST_F(TransferTest, AppendKeepsItsWritesInOrder) {
  disk_.file("/log", "one ");
  auto file = open("/log", {.write = true, .append = true});
  EXPECT_FALSE(file->caps().has(FsCaps::kParallelIo));
  ASSERT_TRUE(file->write_at(bytes("two "), 0));
  ASSERT_TRUE(file->write_at(bytes("three"), 4));
  EXPECT_EQ(disk_.data("/log"), "one two three");
  EXPECT_TRUE(open("/log", {.write = true})->caps().has(FsCaps::kParallelIo));
}

TEST_F(TransferTest, QuickReadsNeedTheCapability) {
  disk_.file("/f", "abc");
  std::array<std::byte, 4> room{};
  EXPECT_EQ(*open("/f", kGet)->try_read_at(room, 0), 3U);
  disk_.fail["read"] = SP_E_WOULD_BLOCK;
  auto file = open("/f", kGet);
  EXPECT_EQ(status_of(file->try_read_at(room, 0)), Status::kWouldBlock);
  EXPECT_TRUE(file->close(false)) << "not a failure";
  disk_.flags &= ~std::uint64_t{FsCaps::kNowaitRead};
  login(users::kAll);
  disk_.calls.clear();
  file = open("/f", kGet);
  EXPECT_EQ(status_of(file->try_read_at(room, 0)), Status::kWouldBlock);
  EXPECT_EQ(disk_.calls, std::vector<std::string>{"open /f"});
}

class CopyTest : public TransferTest, public ::testing::WithParamInterface<bool> {
 protected:
  CopyTest() {
    disk_.extensions = GetParam();
    login(users::kAll);
    disk_.file("/from", "0123456789");
  }
};

TEST_P(CopyTest, CopiesARange) {
  auto from = open("/from", kGet);
  auto to = open("/to", kPut);
  EXPECT_EQ(*from->copy_to(*to, 2, 5, 1), 5U);
  EXPECT_EQ(disk_.data("/to"), std::string("\0", 1) + "23456");
  EXPECT_EQ(*from->copy_to(*to, 8, 100, 0), 2U) << "the end comes first";
  EXPECT_EQ(*from->copy_to(*to, 50, 1, 0), 0U);
  EXPECT_EQ(disk_.data("/to"), "893456");
  EXPECT_EQ(*from->size(), 10U);
  ASSERT_TRUE(to->close(false));
  EXPECT_EQ(log_lines().back()["size_bytes"], 7);
}

TEST_P(CopyTest, RefusesOverlapAndWrongHandles) {
  auto from = open("/from", kGet);
  auto same = open("/from", {.write = true});
  EXPECT_EQ(status_of(from->copy_to(*same, 0, 5, 3)), Status::kInvalid);
  EXPECT_EQ(status_of(from->copy_to(*same, 3, 5, 0)), Status::kInvalid);
  EXPECT_EQ(status_of(from->copy_to(*from, 0, 1, 5)), Status::kDenied);
  EXPECT_EQ(status_of(same->copy_to(*same, 0, 1, 5)), Status::kDenied);
  EXPECT_EQ(*from->copy_to(*same, 0, 10, 10), 10U) << "onto its own tail";
  EXPECT_EQ(disk_.data("/from"), "01234567890123456789");
}

TEST_P(CopyTest, AFailureOnTheWayFailsTheUpload) {
  auto from = open("/from", kGet);
  auto to = open("/to", kPut);
  disk_.fail["write"] = SP_E_NO_SPACE;
  EXPECT_EQ(status_of(from->copy_to(*to, 0, 10, 0)), Status::kNoSpace);
  EXPECT_EQ(status_of(to->close(false)), Status::kNoSpace);
  EXPECT_EQ(disk_.closed_abort, 1);
}

INSTANTIATE_TEST_SUITE_P(InsideTheStoreAndThroughTheHost, CopyTest, ::testing::Bool());

}  // namespace
}  // namespace host::vfs
