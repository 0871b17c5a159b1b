// SPDX-License-Identifier: Apache-2.0
//
// A mount over fs-local, driven through the C tables as the host would.
#include "fault_storage.h"

#include <gtest/gtest.h>
#include <sallyport/abi.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace fs_fault {
namespace {

namespace disk = std::filesystem;
using sallyport::str;

// Whose sessions were ended.
std::string g_closed;

const sp_host_sessions kSessions{nullptr, nullptr, nullptr,
                                 [](void*, sp_str user, uint64_t*, sp_error*) noexcept -> sp_status {
                                   g_closed = sallyport::view(user);
                                   return SP_OK;
                                 }};

const sp_host kHost{sizeof(sp_host),
                    SP_ABI,
                    nullptr,
                    "test",
                    "0",
                    [](const sp_host*, uint32_t, sp_str, sp_str) noexcept {},
                    [](const sp_host*, uint32_t) noexcept { return 0u; },
                    [](const sp_host*, const sp_op* op) noexcept { return op->request_id == 666 ? 1u : 0u; },
                    [](const sp_host*, const char* id) noexcept -> const void* {
                      return std::string_view(id) == SP_EXT_HOST_SESSIONS ? &kSessions : nullptr;
                    }};

class FaultStorageTest : public ::testing::Test {
 protected:
  // A build with umask 002 lets the group write it.
  static void SetUpTestSuite() { disk::permissions(FS_LOCAL, disk::perms::group_write, disk::perm_options::remove); }
  FaultStorageTest() {
    std::string pattern = (disk::temp_directory_path() / "fault-XXXXXX").string();
    home_ = ::mkdtemp(pattern.data());
    g_closed.clear();
  }
  ~FaultStorageTest() override {
    if (fs != nullptr) fs->ops->unmount(fs);
    if (storage_ != nullptr) storage_->ops->destroy(storage_);
    disk::remove_all(home_);
  }

  sp_status create(const nlohmann::json& config) {
    void* made = nullptr;
    const auto text = config.dump();
    const auto status = sp_plugin_v1()->factories[0]->create(&kHost, str(text), &made, &error);
    storage_ = static_cast<sp_storage*>(made);
    return status;
  }
  sp_status mount(const std::vector<std::string>& rules) {
    const auto created = create({{"wraps", "fs-local"}, {"library", FS_LOCAL}, {"faults", rules}});
    if (created != SP_OK) return created;
    root_ = home_.string();
    sp_mount_args args{};
    args.struct_size = sizeof args;
    args.uid = args.gid = 0xffffffff;
    args.umask = 022;
    args.user = str("ada");
    args.root = str(root_);
    return storage_->ops->mount(storage_, &op, &args, &fs, &error);
  }
  sp_file* open(std::string_view path, std::uint32_t flags) {
    sp_file* file = nullptr;
    const sp_open_args args{sizeof(sp_open_args), flags, nullptr, 0};
    EXPECT_EQ(fs->ops->open(fs, &op, str(path), &args, &file, &error), SP_OK) << error.message;
    return file;
  }
  sp_status read(sp_file* file, std::string& data, std::uint64_t offset, std::size_t length) {
    data.assign(length, '\0');
    std::size_t got = 0;
    const auto status = file->ops->read_at(file, &op, data.data(), length, offset, &got, &error);
    data.resize(got);
    return status;
  }
  sp_status write(sp_file* file, std::string_view data) {
    return file->ops->write_at(file, &op, data.data(), data.size(), 0, &error);
  }
  sp_status close(sp_file* file) { return file->ops->close(file, &op, SP_CLOSE_COMMIT, &error); }
  void put(const std::string& name, const std::string& data) { std::ofstream(home_ / name) << data; }

  disk::path home_;
  std::string root_;
  sp_storage* storage_ = nullptr;
  sp_fs* fs = nullptr;
  sp_op op{sizeof(sp_op), 0, 1, 0, 0};
  sp_error error{sizeof(sp_error), 0, 0, 0, {}};
};

TEST_F(FaultStorageTest, PassesEverythingOn) {
  ASSERT_EQ(mount({}), SP_OK) << error.message;
  auto* file = open("/a", SP_OPEN_WRITE | SP_OPEN_CREATE);
  EXPECT_EQ(write(file, "hello"), SP_OK);
  EXPECT_EQ(close(file), SP_OK);
  file = open("/a", SP_OPEN_READ);
  std::string data;
  EXPECT_EQ(read(file, data, 1, 100), SP_OK);
  EXPECT_EQ(data, "ello");
  EXPECT_EQ(close(file), SP_OK);
  EXPECT_EQ(fs->ops->mkdir(fs, &op, str("/d"), nullptr, &error), SP_OK);
  EXPECT_EQ(fs->ops->rename(fs, &op, str("/a"), str("/d/b"), 0, &error), SP_OK);
  EXPECT_EQ(fs->ops->symlink(fs, &op, str("d/b"), str("/l"), &error), SP_OK);
  EXPECT_TRUE(disk::is_symlink(home_ / "l"));
  EXPECT_EQ(fs->ops->remove(fs, &op, str("/l"), SP_REMOVE_FILE, &error), SP_OK);
  EXPECT_EQ(fs->ops->remove(fs, &op, str("/d"), SP_REMOVE_DIR, &error), SP_E_NOT_EMPTY);
  sp_dir* dir = nullptr;
  ASSERT_EQ(fs->ops->open_dir(fs, &op, str("/d"), &dir, &error), SP_OK);
  std::string names;
  const sp_entry_sink sink{&names, [](void* ctx, const sp_entry* entry) noexcept -> sp_status {
                             static_cast<std::string*>(ctx)->append(sallyport::view(entry->name));
                             return SP_OK;
                           }};
  std::uint32_t at_end = 0;
  EXPECT_EQ(dir->ops->next(dir, &op, 10, &sink, &at_end, &error), SP_OK);
  EXPECT_EQ(names, "b");
  dir->ops->close(dir);
}

TEST_F(FaultStorageTest, IsNeverAskedToAnswerAtOnceOrSideBySide) {
  ASSERT_EQ(mount({}), SP_OK) << error.message;
  sp_fs_caps caps{};
  caps.struct_size = sizeof caps;
  fs->ops->caps(fs, &caps);
  EXPECT_EQ(caps.flags & (SP_FS_NOWAIT_READ | SP_FS_NOWAIT_WRITE | SP_FS_PARALLEL_IO), 0U);
  EXPECT_NE(caps.flags & SP_FS_RANDOM_WRITE, 0U);
  EXPECT_NE(fs->ops->extension(fs, SP_EXT_STATVFS), nullptr);
}

TEST_F(FaultStorageTest, FailsTheCallsItIsToldTo) {
  put("a", "0123456789");
  ASSERT_EQ(mount({"read:2:error=EIO", "mkdir:error=ENOSPC"}), SP_OK) << error.message;
  auto* file = open("/a", SP_OPEN_READ);
  std::string data;
  EXPECT_EQ(read(file, data, 0, 4), SP_OK);
  EXPECT_EQ(read(file, data, 4, 4), SP_E_IO);
  EXPECT_EQ(error.native_code, EIO);
  EXPECT_EQ(read(file, data, 4, 4), SP_OK);
  close(file);
  EXPECT_EQ(fs->ops->mkdir(fs, &op, str("/d"), nullptr, &error), SP_E_NO_SPACE);
  EXPECT_FALSE(disk::exists(home_ / "d"));
}

TEST_F(FaultStorageTest, AShortReadIsNotCompletedByTheHost) {
  put("a", "0123456789");
  ASSERT_EQ(mount({"read:1:short=3"}), SP_OK) << error.message;
  auto* file = open("/a", SP_OPEN_READ);
  std::string data;
  EXPECT_EQ(read(file, data, 0, 8), SP_OK);
  EXPECT_EQ(data, "012");
  EXPECT_EQ(read(file, data, 3, 5), SP_OK) << "what the host asks for to complete its answer";
  EXPECT_EQ(data, "");
  EXPECT_EQ(read(file, data, 3, 5), SP_OK) << "what the client asks for then";
  EXPECT_EQ(data, "34567");
  close(file);
}

TEST_F(FaultStorageTest, AFailedCommitDoesNotHappen) {
  put("old", "read before");
  ASSERT_EQ(mount({"commit:1:error=EDQUOT"}), SP_OK) << error.message;
  EXPECT_EQ(close(open("/old", SP_OPEN_READ)), SP_OK) << "nothing is committed";
  auto* file = open("/a", SP_OPEN_WRITE | SP_OPEN_CREATE);
  EXPECT_EQ(write(file, "hello"), SP_OK);
  EXPECT_EQ(close(file), SP_E_QUOTA);
  EXPECT_EQ(close(open("/a", SP_OPEN_WRITE)), SP_OK);
}

TEST_F(FaultStorageTest, DropsTheSessionsOfTheAccount) {
  ASSERT_EQ(mount({"stat:2:drop"}), SP_OK) << error.message;
  sp_attrs attrs{};
  attrs.struct_size = sizeof attrs;
  EXPECT_EQ(fs->ops->stat(fs, &op, str("/"), 0, &attrs, &error), SP_OK);
  EXPECT_EQ(g_closed, "");
  EXPECT_EQ(fs->ops->stat(fs, &op, str("/"), 0, &attrs, &error), SP_E_CANCELLED);
  EXPECT_EQ(g_closed, "ada");
}

TEST_F(FaultStorageTest, ADelayEndsWithTheSession) {
  ASSERT_EQ(mount({"stat:delay=600s"}), SP_OK) << error.message;
  op.request_id = 666;  // cancelled, says the host above
  sp_attrs attrs{};
  attrs.struct_size = sizeof attrs;
  EXPECT_EQ(fs->ops->stat(fs, &op, str("/"), 0, &attrs, &error), SP_OK);
}

TEST_F(FaultStorageTest, RefusesALibraryThatOthersMayWrite) {
  const disk::path copy = home_ / "fs-local.so";
  disk::copy_file(FS_LOCAL, copy);
  disk::permissions(copy, disk::perms::group_write, disk::perm_options::add);
  EXPECT_EQ(create({{"library", copy.string()}}), SP_E_INVALID);
  EXPECT_NE(std::string(error.message).find("chmod go-w"), std::string::npos);
}

TEST_F(FaultStorageTest, RefusesWhatItCannotWrap) {
  EXPECT_EQ(create({{"library", "/nowhere/fs-local.so"}}), SP_E_INVALID);
  EXPECT_NE(std::string(error.message).find("/nowhere/fs-local.so"), std::string::npos);
  EXPECT_EQ(create({{"library", FS_LOCAL}, {"faults", {1}}}), SP_E_INVALID);
  EXPECT_EQ(create({{"library", FS_LOCAL}, {"faults", {"read:error=EWHAT"}}}), SP_E_INVALID);
  EXPECT_NE(std::string(error.message).find("read:error=EWHAT"), std::string::npos);
  EXPECT_EQ(create({{"library", FS_LOCAL}, {"settings", {{"create_home", 5}}}}), SP_E_INVALID);
}

}  // namespace
}  // namespace fs_fault
