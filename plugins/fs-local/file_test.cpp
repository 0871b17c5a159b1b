// SPDX-License-Identifier: Apache-2.0
//
// Open files: flags, positional reading and writing, answers without waiting, copies inside the store.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <string>

#include "mount_fixture.h"
#include "unique_fd.h"

namespace fs_local::test {
namespace {

constexpr std::uint32_t kR = SP_OPEN_READ, kW = SP_OPEN_WRITE, kC = SP_OPEN_CREATE, kX = SP_OPEN_EXCLUSIVE,
                        kT = SP_OPEN_TRUNCATE, kA = SP_OPEN_APPEND;

class FileTest : public Mounted {
 protected:
  sp_file* open(std::string_view path, std::uint32_t flags) {
    sp_file* file = nullptr;
    EXPECT_EQ(SP_OK, c().open(path, flags, file)) << c().error.message;
    return file;
  }
};
FS_LOCAL_BOTH_WAYS(FileTest);

TEST_P(FileTest, OpensByFlags) {
  EXPECT_EQ(SP_E_NOT_FOUND, c().touch("/f", kR));
  EXPECT_EQ(SP_E_NOT_FOUND, c().touch("/f", kW));
  EXPECT_EQ(SP_OK, c().touch("/f", kW | kC | kX));
  EXPECT_EQ(SP_E_EXISTS, c().touch("/f", kW | kC | kX));
  put(home / "f", "12345");
  EXPECT_EQ(SP_OK, c().touch("/f", kW | kC));
  EXPECT_EQ("12345", get(home / "f"));
  EXPECT_EQ(SP_OK, c().touch("/f", kW | kC | kT));
  EXPECT_EQ("", get(home / "f"));
  EXPECT_EQ(SP_E_INVALID, c().touch("/f", 0));
  EXPECT_EQ(SP_E_INVALID, c().touch("/f", kR | kT));
  EXPECT_EQ(SP_E_INVALID, c().touch("/f", kW | kX));
  EXPECT_EQ(SP_E_NOT_FOUND, c().touch("/none/f", kW | kC));
  ASSERT_EQ(SP_OK, c().symlink("nowhere", "/dangling"));
  EXPECT_EQ(SP_E_EXISTS, c().touch("/dangling", kW | kC | kX));
  EXPECT_EQ(SP_OK, c().touch("/dangling", kW | kC));
  EXPECT_TRUE(disk::exists(home / "nowhere"));
}

TEST_P(FileTest, NewFilesGetTheGivenModeWithoutTheMask) {
  sp_attrs attrs{};
  attrs.valid = SP_ATTR_PERMS;
  attrs.perms = 0666;
  sp_file* file = nullptr;
  ASSERT_EQ(SP_OK, c().open("/f", kW | kC, file, &attrs));
  c().close(file);
  attrs.perms = 0400;
  ASSERT_EQ(SP_OK, c().open("/g", kW | kC, file, &attrs));
  c().close(file);
  c().touch("/h", kW | kC);
  EXPECT_EQ(disk::perms(0644), disk::status(home / "f").permissions());
  EXPECT_EQ(disk::perms(0400), disk::status(home / "g").permissions());
  EXPECT_EQ(disk::perms(0644), disk::status(home / "h").permissions());
}

TEST_P(FileTest, RefusesWhatIsNotARegularFile) {
  ASSERT_EQ(SP_OK, c().mkdir("/d"));
  EXPECT_EQ(SP_E_IS_DIR, c().touch("/d", kR));
  EXPECT_EQ(SP_E_IS_DIR, c().touch("/d", kW));
  EXPECT_EQ(SP_E_IS_DIR, c().touch("/", kR));
  EXPECT_EQ(SP_E_IS_DIR, c().touch("/", kW | kC));
  ASSERT_EQ(0, ::mkfifo((home / "fifo").c_str(), 0600));
  EXPECT_EQ(SP_E_DENIED, c().touch("/fifo", kR));
  EXPECT_EQ(SP_E_DENIED, c().touch("/fifo", kW));
  EXPECT_EQ(SP_E_DENIED, c().touch("/fifo", kR | kW | kC | kT));
  sp_attrs attrs{};
  attrs.valid = SP_ATTR_SIZE;
  EXPECT_EQ(SP_E_DENIED, c().set("/fifo", attrs));
}

TEST_P(FileTest, ReadsAndWritesAtAnyOffset) {
  sp_file* file = open("/f", kR | kW | kC);
  EXPECT_EQ(SP_OK, c().write(file, "world", 6));
  EXPECT_EQ(SP_OK, c().write(file, "hello ", 0));
  EXPECT_EQ(SP_OK, c().write(file, "", 100));
  std::string data;
  EXPECT_EQ(SP_OK, c().read(file, data, 0));
  EXPECT_EQ("hello world", data);
  EXPECT_EQ(SP_OK, c().read(file, data, 8, 2));
  EXPECT_EQ("rl", data);
  EXPECT_EQ(SP_OK, c().read(file, data, 11));
  EXPECT_EQ("", data);
  EXPECT_EQ(SP_OK, c().read(file, data, UINT64_MAX));
  EXPECT_EQ("", data);
  EXPECT_EQ(SP_E_INVALID, c().write(file, "x", INT64_MAX));
  EXPECT_EQ(SP_E_INVALID, c().write(file, "x", UINT64_MAX));
  EXPECT_EQ(SP_OK, file->ops->sync(file, &c().op, &c().error));
  EXPECT_EQ(SP_OK, c().close(file));
  EXPECT_EQ("hello world", get(home / "f"));
}

TEST_P(FileTest, AppendsWhateverTheOffset) {
  put(home / "f", "123");
  sp_file* file = open("/f", kW | kA);
  EXPECT_EQ(SP_OK, c().write(file, "45", 0));
  EXPECT_EQ(SP_OK, c().close(file));
  EXPECT_EQ("12345", get(home / "f"));
}

TEST_P(FileTest, AHandleDoesOnlyWhatItWasOpenedFor) {
  put(home / "f", "123");
  sp_file* reader = open("/f", kR);
  EXPECT_NE(SP_OK, c().write(reader, "x", 0));
  sp_attrs attrs{};
  attrs.struct_size = sizeof attrs;
  attrs.valid = SP_ATTR_SIZE;
  EXPECT_EQ(SP_E_DENIED, reader->ops->set_attrs(reader, &c().op, &attrs, &c().error));
  attrs.valid = SP_ATTR_PERMS | SP_ATTR_MTIME;
  attrs.perms = 0600;
  EXPECT_EQ(SP_OK, reader->ops->set_attrs(reader, &c().op, &attrs, &c().error));
  EXPECT_EQ(SP_OK, c().close(reader));
  EXPECT_EQ("123", get(home / "f"));
  EXPECT_EQ(disk::perms(0600), disk::status(home / "f").permissions());
}

TEST_P(FileTest, HandleOutlivesItsName) {
  put(home / "f", "123");
  sp_file* file = open("/f", kR | kW);
  ASSERT_EQ(SP_OK, c().remove("/f"));
  sp_attrs attrs{};
  attrs.struct_size = sizeof attrs;
  EXPECT_EQ(SP_OK, file->ops->stat(file, &c().op, &attrs, &c().error));
  EXPECT_EQ(3u, attrs.size);
  EXPECT_EQ(0u, attrs.nlink);
  attrs.valid = SP_ATTR_SIZE;
  attrs.size = 1;
  EXPECT_EQ(SP_OK, file->ops->set_attrs(file, &c().op, &attrs, &c().error));
  EXPECT_EQ(SP_OK, c().close(file));
}

TEST_P(FileTest, AnswersAtOnceOrNotAtAll) {
  put(home / "f", "cached");
  sp_file* file = open("/f", kR | kW);
  std::string data;
  const sp_status status = c().read(file, data, 0, 100, SP_OP_NOWAIT);
  // A file system that cannot tell always asks for the call that may block.
  if (status == SP_OK) {
    EXPECT_EQ("cached", data);
    EXPECT_EQ(SP_OK, c().read(file, data, 6, 100, SP_OP_NOWAIT));
    EXPECT_EQ("", data);
  } else {
    EXPECT_EQ(SP_E_WOULD_BLOCK, status);
  }
  sp_op nowait = c().op;
  nowait.flags = SP_OP_NOWAIT;
  EXPECT_EQ(SP_E_WOULD_BLOCK, file->ops->write_at(file, &nowait, "x", 1, 0, &c().error));
  EXPECT_EQ(SP_OK, c().close(file));
}

TEST_P(FileTest, WouldBlockWhenNotInMemory) {
  const std::string big(1 << 20, 'x');
  put(home / "f", big);
  sp_file* file = open("/f", kR);
  const UniqueFd fd(::open((home / "f").c_str(), O_RDONLY));
  ASSERT_EQ(0, ::fsync(fd.get()));
  ASSERT_EQ(0, ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED));
  std::string data;
  const sp_status status = c().read(file, data, 0, big.size(), SP_OP_NOWAIT);
  EXPECT_TRUE(status == SP_E_WOULD_BLOCK || (status == SP_OK && !data.empty())) << status;
  EXPECT_EQ(SP_OK, c().read(file, data, 0, big.size()));
  EXPECT_EQ(big, data);
  EXPECT_EQ(SP_OK, c().close(file));
}

TEST_P(FileTest, CopiesRanges) {
  std::string big;
  for (int i = 0; i < 300'000; ++i) big += static_cast<char>(i * 7 % 251);
  put(home / "from", big);
  sp_file* from = open("/from", kR | kW);
  sp_file* to = open("/to", kW | kC);
  const auto* copy = static_cast<const sp_ext_copy_range*>(from->ops->extension(from, SP_EXT_COPY_RANGE));
  ASSERT_NE(nullptr, copy);
  std::uint64_t copied = 0;
  EXPECT_EQ(SP_OK, copy->copy(from, &c().op, 100, UINT64_MAX, to, 50, &copied, &c().error));
  EXPECT_EQ(big.size() - 100, copied);
  EXPECT_EQ(std::string(50, '\0') + big.substr(100), get(home / "to"));
  EXPECT_EQ(SP_OK, copy->copy(from, &c().op, big.size(), 10, to, 0, &copied, &c().error));
  EXPECT_EQ(0u, copied);
  EXPECT_EQ(SP_E_INVALID, copy->copy(from, &c().op, 0, 100, from, 50, &copied, &c().error));
  EXPECT_EQ(SP_OK, copy->copy(from, &c().op, 0, 100, from, 100, &copied, &c().error));
  EXPECT_EQ(big.substr(0, 100) + big.substr(0, 100) + big.substr(200), get(home / "from"));
  sp_op lost = c().op;
  lost.request_id = 666;
  EXPECT_EQ(SP_E_CANCELLED, copy->copy(from, &lost, 0, 100, to, 0, &copied, &c().error));
  EXPECT_EQ(SP_OK, c().close(to));
  // Not a job for copy_file_range(2): done through memory.
  sp_file* appender = open("/to2", kW | kC | kA);
  EXPECT_EQ(SP_OK, copy->copy(from, &c().op, 0, big.size(), appender, 0, &copied, &c().error)) << c().error.message;
  EXPECT_EQ(get(home / "from"), get(home / "to2"));
  EXPECT_EQ(SP_OK, c().close(appender));
  EXPECT_EQ(SP_OK, c().close(from));
}

TEST_P(FileTest, ReportsAFullDisk) {
  // The limit lets a first part through, so that the loop is seen to fail in the middle.
  rlimit old{};
  ASSERT_EQ(0, ::getrlimit(RLIMIT_FSIZE, &old));
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = 10;
  sp_file* file = open("/f", kW | kC);
  ASSERT_EQ(0, ::setrlimit(RLIMIT_FSIZE, &small));
  const sp_status status = c().write(file, std::string(20, 'x'), 0);
  ASSERT_EQ(0, ::setrlimit(RLIMIT_FSIZE, &old));
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(SP_E_NO_SPACE, status);
  EXPECT_EQ(SP_OK, c().close(file));
}

}  // namespace
}  // namespace fs_local::test
