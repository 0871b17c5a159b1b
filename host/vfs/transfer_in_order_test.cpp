// SPDX-License-Identifier: Apache-2.0
//
// Uploads to storages that take a file from its beginning to its end.
#include <algorithm>

#include "host/vfs/fixture_test.h"
#include "host/vfs/transfer.h"

namespace host::vfs {
namespace {

using core::Status;
using plugin::FsCaps;
using testing::bytes;
using testing::kGet;
using testing::kPut;
using testing::path;
using testing::status_of;
using testing::TransferTest;

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
  static Attrs mtime(std::int64_t time_ns) {
    Attrs attrs;
    attrs.valid = Attrs::kMtime;
    attrs.mtime_ns = time_ns;
    return attrs;
  }
  bool was_called(const std::string& call) const { return std::ranges::count(disk_.calls, call) != 0; }
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

TEST_P(PublishTest, WhatIsRefusedReplacesNothingAndIsAlwaysLogged) {
  login(users::kAll, {.upload_mode = UploadMode::kAtomicResume});
  for (const bool gap : {true, false}) {
    for (const char* const name : {"/old", "/new"}) {
      auto file = open(name, kPut);
      ASSERT_TRUE(file->write_at(bytes("p"), 0));
      if (!gap) disk_.fail["write"] = SP_E_INVALID;
      EXPECT_EQ(status_of(file->write_at(bytes("x"), gap ? 2 : 1)), gap ? Status::kOk : Status::kInvalid);
      disk_.fail.clear();
      EXPECT_EQ(status_of(file->close(false)), Status::kInvalid);
    }
    EXPECT_EQ(disk_.data("/old"), "old content");
    EXPECT_EQ(disk_.has("/new"), GetParam()) << "for its client to go on with";
    disk_.nodes.erase("/new");
  }
  EXPECT_EQ(log_lines().size(), 4U);
}

// The session is gone, and what was under way is called off.
TEST_P(PublishTest, WhatIsCancelledIsLostAndNotRefused) {
  login(users::kAll, {.upload_mode = UploadMode::kAtomicResume});
  auto file = open("/old", kPut);
  ASSERT_TRUE(file->write_at(bytes("part"), 0));
  disk_.fail["write"] = SP_E_CANCELLED;
  EXPECT_FALSE(file->write_at(bytes("x"), 4));
  (void)file->close(true);
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

TEST_P(PublishTest, WhatIsSetByNameIsSetWhenItIsWholeAndLeavesTheOldFileAlone) {
  auto file = open("/old", kPut);
  ASSERT_TRUE(file->write_at(bytes("new"), 0));
  disk_.calls.clear();
  ASSERT_TRUE(session_->set_attrs(path("/old"), mtime(4711), true));
  EXPECT_TRUE(disk_.calls.empty());
  ASSERT_TRUE(file->close(false));
  EXPECT_FALSE(was_called("set_attrs /old"));
  EXPECT_EQ(disk_.nodes.at("/old").attrs.mtime_ns, 4711);
  const auto lines = log_lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["sender"], "Chtimes");
  EXPECT_EQ(lines[1]["sender"], "Upload");
}

TEST_P(PublishTest, WhatIsSetByNameWhileItIsClosedIsNotLost) {
  auto file = open("/new", kPut);
  ASSERT_TRUE(session_->set_attrs(path("/new"), mtime(1), true));
  disk_.on_call = [&](const std::string& call) {
    if (call == "close") {
      EXPECT_TRUE(session_->set_attrs(path("/new"), mtime(4711), true));
    }
  };
  ASSERT_TRUE(file->close(false));
  EXPECT_EQ(disk_.nodes.at("/new").attrs.mtime_ns, 4711);
  ASSERT_TRUE(session_->set_attrs(path("/new"), mtime(4712), true));
  EXPECT_EQ(disk_.nodes.at("/new").attrs.mtime_ns, 4712) << "the upload is over, though its handle is still there";
}

TEST_P(PublishTest, WhatCannotBeSetAfterAllIsLogged) {
  auto file = open("/new", kPut);
  ASSERT_TRUE(session_->set_attrs(path("/new"), mtime(4711), true));
  disk_.fail["fset_attrs"] = SP_E_UNSUPPORTED;
  EXPECT_TRUE(file->close(false));
  const auto lines = log_lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["message"], "set attributes of \"/srv/home/new\" failed: the disk is on fire");
  EXPECT_EQ(lines[1]["sender"], "Upload");
}

TEST_P(PublishTest, AStoreThatDoesNotAnswerIsNotTakenForOneWithoutTheFile) {
  login({{"/", users::kAll}, {"/new", users::kAll & ~users::kChown}});  // so that it matters what it is
  auto file = open("/new", kPut);
  EXPECT_TRUE(session_->set_attrs(path("/new"), mtime(4711), true));
  disk_.fail["stat"] = SP_E_IO;
  EXPECT_EQ(status_of(session_->set_attrs(path("/new"), mtime(4711), true)), Status::kIo);
}

TEST_P(PublishTest, APartReplacesTheOldFileWhoseTimesItsSessionHasSet) {
  login(users::kAll, {.upload_mode = UploadMode::kAtomicResume});
  auto file = open("/old", kPut);
  ASSERT_TRUE(file->write_at(bytes("part"), 0));
  ASSERT_TRUE(session_->set_attrs(path("/old"), mtime(4711), true));
  (void)file->close(true);
  EXPECT_EQ(disk_.data("/old"), GetParam() ? "part" : "old content");
}

}  // namespace
}  // namespace host::vfs
