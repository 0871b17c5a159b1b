// SPDX-License-Identifier: Apache-2.0
//
// Uploads that lie beside their name until they are whole, and what their own session sees of them.
#include "host/vfs/upload.h"

#include "host/vfs/fixture_test.h"

namespace host::vfs {
namespace {

using core::Status;
using testing::bytes;
using testing::kPut;
using testing::path;
using testing::status_of;

constexpr std::int64_t kTime = 1'500'000'000'000'000'000;

class TemporaryUploadTest : public testing::TransferTest {
 protected:
  TemporaryUploadTest() { login(users::kAll, {.upload_mode = UploadMode::kAtomicResume}); }
  std::unique_ptr<OpenFile> put(std::string_view name, std::string_view data) {
    auto file = open(name, kPut);
    EXPECT_TRUE(file->write_at(bytes(data), 0));
    return file;
  }
  std::uint64_t size_of(std::string_view name) {
    const auto found = session_->stat(path(name), true);
    return found ? found->size : 0;
  }
  static Attrs mtime(std::int64_t time_ns) {
    Attrs attrs;
    attrs.valid = Attrs::kMtime;
    attrs.mtime_ns = time_ns;
    return attrs;
  }
};

TEST_F(TemporaryUploadTest, APartOfANewFileReplacesNothingThatComesInTheLastMoment) {
  auto file = put("/new", "part");
  disk_.on_call = [&](const std::string& call) {
    if (call.starts_with("rename ")) disk_.file("/new", "whole");
  };
  ASSERT_TRUE(file->close(true));
  EXPECT_EQ(disk_.data("/new"), "whole");
  EXPECT_EQ(disk_.nodes.size(), 2U) << "no temporary is left";
}

TEST_F(TemporaryUploadTest, APartStillTakesItsNameAndThatOfAnOldFile) {
  disk_.file("/old", "old content");
  for (const char* const name : {"/old", "/new"}) {
    ASSERT_TRUE(put(name, "part")->close(true));
    EXPECT_EQ(disk_.data(name), "part");
  }
}

// cp -p through sshfs sets the time before it closes; so does whoever sends the same file again, and whole.
TEST_F(TemporaryUploadTest, APartTakesNoNameWhoseFileHasAnotherTimeNow) {
  disk_.file("/old", "old content");
  auto file = put("/old", "part");
  ASSERT_TRUE(session_->set_attrs(path("/old"), mtime(kTime), true));
  ASSERT_TRUE(file->close(true));
  EXPECT_EQ(disk_.data("/old"), "old content");
}

TEST_F(TemporaryUploadTest, OfTwoUploadsToOnePathTheOneOpenedLastIsMeant) {
  auto first = put("/new", "1"), second = put("/new", "22");
  EXPECT_EQ(size_of("/new"), 2U);
  ASSERT_TRUE(session_->set_attrs(path("/new"), mtime(kTime), true));
  ASSERT_TRUE(second->close(false));
  EXPECT_EQ(disk_.data("/new"), "22");
  EXPECT_EQ(disk_.nodes.at("/new").attrs.mtime_ns, kTime);
  second.reset();
  EXPECT_EQ(size_of("/new"), 2U) << "what has the name comes before what will have it";
  ASSERT_TRUE(first->close(false));
  EXPECT_EQ(disk_.data("/new"), "1");
  EXPECT_NE(disk_.nodes.at("/new").attrs.mtime_ns, kTime);
}

TEST_F(TemporaryUploadTest, AFileIsSeenThatGetsItsNameJustNow) {
  auto file = put("/new", "12345");
  disk_.on_call = [&](const std::string& call) {
    if (!call.starts_with("stat /.sftpgo-upload.")) return;
    disk_.on_call = nullptr;  // of what has been found under its temporary name
    ASSERT_TRUE(file->close(false));
  };
  EXPECT_EQ(size_of("/new"), 5U);
  EXPECT_EQ(disk_.on_call, nullptr) << "it was not looked for there";
}

}  // namespace
}  // namespace host::vfs
