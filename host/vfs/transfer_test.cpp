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

constexpr OpenRequest kPut{.write = true, .create = true, .truncate = true};
constexpr OpenRequest kGet{.read = true};

class TransferTest : public testing::SessionTest {
 protected:
  std::unique_ptr<OpenFile> open(std::string_view text, const OpenRequest& request) {
    auto file = session_->open(path(text), request);
    EXPECT_TRUE(file) << file.error().message();
    return file ? *std::move(file) : nullptr;
  }
  static std::string read(OpenFile& file, std::uint64_t offset = 0) {
    std::array<std::byte, 64> room{};
    const auto got = file.read_at(room, offset);
    return got ? std::string(reinterpret_cast<const char*>(room.data()), *got) : "?";
  }
};

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

// A storage that takes a file from its beginning to its end, and can go on with one or copy into it.
class InOrderTest : public TransferTest {
 protected:
  InOrderTest() {
    disk_.flags &= ~std::uint64_t{FsCaps::kRandomWrite | FsCaps::kReadWrite};
    login(users::kAll);
    disk_.file("/from", "0123456789");
  }
};

TEST_F(InOrderTest, WhatIsContinuedGoesOnAtItsEnd) {
  disk_.file("/part", "begun ");
  auto file = open("/part", {.write = true});
  ASSERT_TRUE(file->write_at(bytes("later"), 11));
  EXPECT_EQ(disk_.data("/part"), "begun ") << "waits for what is before it";
  ASSERT_TRUE(file->write_at(bytes("soon "), 6));
  EXPECT_EQ(disk_.data("/part"), "begun soon later");
  EXPECT_EQ(status_of(file->write_at(bytes("x"), 3)), Status::kUnsupported);
}

TEST_F(InOrderTest, DataGoesOnBehindWhatTheStorageCopied) {
  auto from = open("/from", kGet);
  auto to = open("/to", kPut);
  ASSERT_TRUE(to->write_at(bytes("ab"), 0));
  EXPECT_EQ(*from->copy_to(*to, 4, 5, 2), 5U);
  ASSERT_TRUE(to->write_at(bytes("yz"), 7));
  ASSERT_TRUE(to->close(false));
  EXPECT_EQ(disk_.data("/to"), "ab45678yz");
}

TEST_F(InOrderTest, ACopyFurtherAheadWaitsAsDataDoes) {
  auto from = open("/from", kGet);
  auto to = open("/to", kPut);
  EXPECT_EQ(*from->copy_to(*to, 0, 3, 2), 3U);
  EXPECT_FALSE(disk_.has("/to") && !disk_.data("/to").empty());
  ASSERT_TRUE(to->write_at(bytes("ab"), 0));
  ASSERT_TRUE(to->close(false));
  EXPECT_EQ(disk_.data("/to"), "ab012");
}

// One that shows a file when it is closed, as object stores do. The parameter: can go on with one that is there.
class PublishTest : public TransferTest, public ::testing::WithParamInterface<bool> {
 protected:
  static constexpr OpenRequest kInPlace{.write = true, .create = true};

  PublishTest() {
    disk_.flags &= ~std::uint64_t{FsCaps::kRandomWrite | FsCaps::kReadWrite | FsCaps::kTruncate};
    disk_.flags |= FsCaps::kPublishOnClose;
    if (!GetParam()) disk_.flags &= ~std::uint64_t{FsCaps::kResume};
    login(users::kAll);
    disk_.file("/old", "old content");
  }
  static Attrs size(std::uint64_t bytes) {
    Attrs attrs;
    attrs.valid = Attrs::kSize;
    attrs.size = bytes;
    return attrs;
  }
};
INSTANTIATE_TEST_SUITE_P(WithoutAndWithResume, PublishTest, ::testing::Bool());

TEST_P(PublishTest, AFileWrittenInPlaceIsReplacedOnceAllOfItIsCovered) {
  auto file = open("/old", kInPlace);
  const auto first = file->write_at(bytes("new "), 0);
  ASSERT_TRUE(first) << first.error().message();
  ASSERT_TRUE(file->write_at(bytes("and longer"), 4));
  EXPECT_EQ(disk_.data("/old"), "old content") << "until it is closed";
  EXPECT_TRUE(file->close(false));
  EXPECT_EQ(disk_.data("/old"), "new and longer");
}

TEST_P(PublishTest, AShorterOneReplacesItWhenItsClientSaysHowLongItIs) {
  auto file = open("/old", kInPlace);
  ASSERT_TRUE(file->write_at(bytes("new"), 0));
  EXPECT_EQ(status_of(file->set_attrs(size(2))), Status::kUnsupported);
  EXPECT_TRUE(file->set_attrs(size(3)));
  EXPECT_TRUE(file->close(false));
  EXPECT_EQ(disk_.data("/old"), "new");
}

TEST_P(PublishTest, AShorterOneWithoutThatLosesNothing) {
  auto file = open("/old", kInPlace);
  ASSERT_TRUE(file->write_at(bytes("new"), 0));
  EXPECT_EQ(status_of(file->close(false)), Status::kUnsupported);
  EXPECT_EQ(disk_.data("/old"), "old content");
}

TEST_P(PublishTest, ASizeSaidBeforeItIsWrittenAnewDoesNotCount) {
  auto file = open("/old", kInPlace);
  if (GetParam()) {
    ASSERT_TRUE(file->set_attrs(size(11)));
  }
  ASSERT_TRUE(file->write_at(bytes("new"), 0));
  EXPECT_FALSE(file->close(false));
  EXPECT_EQ(disk_.data("/old"), "old content");
}

TEST_P(PublishTest, ARefusedSizeDoesNotCount) {
  disk_.flags &= ~std::uint64_t{FsCaps::kSetTimes};
  login(users::kAll);
  auto file = open("/old", kInPlace);
  ASSERT_TRUE(file->write_at(bytes("new"), 0));
  auto attrs = size(3);
  attrs.valid |= Attrs::kMtime;
  EXPECT_EQ(status_of(file->set_attrs(attrs)), Status::kUnsupported);
  EXPECT_FALSE(file->close(false));
  EXPECT_EQ(disk_.data("/old"), "old content");
}

TEST_P(PublishTest, WhatWasEmptiedOnRequestMayBeShort) {
  auto file = open("/old", kInPlace);
  ASSERT_TRUE(file->set_attrs(size(0)));
  ASSERT_TRUE(file->write_at(bytes("new"), 0));
  EXPECT_TRUE(file->close(false));
  EXPECT_EQ(disk_.data("/old"), "new");
}

// In upload mode 2, where what a failed upload has brought takes the name.
TEST_P(PublishTest, NoPartReplacesAFileThatNobodyEmptied) {
  login(users::kAll, {.upload_mode = UploadMode::kAtomicResume});
  for (const bool lost : {false, true}) {
    auto file = open("/old", kInPlace);
    ASSERT_TRUE(file->write_at(bytes("new"), 0));
    EXPECT_EQ(status_of(file->close(lost)), lost ? Status::kOk : Status::kUnsupported);
    EXPECT_EQ(disk_.data("/old"), "old content");
  }
  auto emptied = open("/old", kPut);
  ASSERT_TRUE(emptied->write_at(bytes("part"), 0));
  (void)emptied->close(true);
  EXPECT_EQ(disk_.data("/old"), GetParam() ? "part" : "old content");
}

TEST_P(PublishTest, WritesToANewFileMayOvertakeEachOther) {
  auto file = open("/new", kInPlace);
  ASSERT_TRUE(file->write_at(bytes("later"), 5));
  ASSERT_TRUE(file->write_at(bytes("soon "), 0));
  EXPECT_TRUE(file->close(false));
  EXPECT_EQ(disk_.data("/new"), "soon later");
}

TEST_P(PublishTest, OpenedAndNotWrittenItStaysAsItIs) {
  auto file = open("/old", kInPlace);
  Attrs times;
  times.valid = Attrs::kMtime;
  times.mtime_ns = 4711;
  ASSERT_TRUE(file->set_attrs(times));
  disk_.last_set = 0;
  EXPECT_TRUE(file->close(false));
  EXPECT_EQ(disk_.data("/old"), "old content");
  EXPECT_EQ(disk_.last_set, GetParam() ? 0U : Attrs::kMtime) << "of what is there";
  EXPECT_TRUE(open("/new", kInPlace)->close(false));
  EXPECT_TRUE(disk_.has("/new"));
}

TEST_P(PublishTest, WritingGoesOnAtItsEndWhereTheStorageCan) {
  auto file = open("/old", {.write = true});
  const auto written = file->write_at(bytes(" and more"), 11);
  EXPECT_EQ(status_of(written), GetParam() ? Status::kOk : Status::kUnsupported);
  EXPECT_EQ(status_of(file->close(false)), GetParam() ? Status::kOk : Status::kUnsupported);
  EXPECT_EQ(disk_.data("/old"), GetParam() ? "old content and more" : "old content");
}

TEST_P(PublishTest, WhoWritesAFileSeesIt) {
  auto file = open("/new", kPut);
  ASSERT_TRUE(file->write_at(bytes("12345"), 0));
  const auto seen = session_->stat(path("/new"), true);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->size, 5U);
  EXPECT_EQ(status_of(session_->stat(path("/other"), true)), Status::kNotFound);
  ASSERT_TRUE(file->close(true));
  file.reset();
  EXPECT_EQ(status_of(session_->stat(path("/new"), true)), Status::kNotFound);
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
