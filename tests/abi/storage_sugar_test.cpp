// SPDX-License-Identifier: Apache-2.0
//
// The storage classes of the C++ sugar: a small store in memory with nothing but the required methods (what a third
// party would write first), and what its generated C tables do.
#include <gtest/gtest.h>
#include <sallyport/cpp/storage.hpp>

#include <cstring>
#include <map>
#include <stdexcept>
#include <string>

namespace {

using sallyport::Failure;
using sallyport::Outcome;

using Files = std::map<std::string, std::string, std::less<>>;

sp_attrs attrs_of(std::size_t size, std::uint32_t type) {
  sp_attrs attrs{};
  attrs.valid = SP_ATTR_TYPE | SP_ATTR_SIZE;
  attrs.type = type;
  attrs.size = size;
  return attrs;
}

int g_alive = 0;

class BoxFile : public sallyport::File<BoxFile> {
 public:
  explicit BoxFile(std::string& data) : data_(data) { ++g_alive; }
  ~BoxFile() { --g_alive; }
  Outcome<std::size_t> read_at(const sp_op&, std::span<std::byte> into, std::uint64_t offset) {
    if (offset >= data_.size()) return std::size_t{0};
    return data_.copy(reinterpret_cast<char*>(into.data()), into.size(), offset);
  }
  Outcome<void> write_at(const sp_op&, std::span<const std::byte> data, std::uint64_t offset) {
    if (offset > 1000) throw std::runtime_error("too far");
    if (data_.size() < offset + data.size()) data_.resize(offset + data.size());
    std::memcpy(data_.data() + offset, data.data(), data.size());
    return {};
  }
  Outcome<sp_attrs> stat(const sp_op&) { return attrs_of(data_.size(), SP_TYPE_FILE); }

 private:
  std::string& data_;
};

class BoxDir : public sallyport::Dir<BoxDir> {
 public:
  explicit BoxDir(const Files& files) : at_(files.begin()), end_(files.end()) { ++g_alive; }
  ~BoxDir() { --g_alive; }
  Outcome<bool> next(const sp_op&, std::uint32_t max, const sallyport::EntrySink& sink) {
    for (; max != 0 && at_ != end_; --max, ++at_) {
      const sp_status status = sink.add(at_->first, attrs_of(at_->second.size(), SP_TYPE_FILE));
      if (status == SP_E_FULL) return false;
      if (status != SP_OK) return Failure{status, "stopped", 0};
    }
    return at_ == end_;
  }

 private:
  Files::const_iterator at_, end_;
};

class BoxFs : public sallyport::Fs<BoxFs> {
 public:
  BoxFs() { ++g_alive; }
  ~BoxFs() { --g_alive; }
  sp_fs_caps caps() const { return {0, 4, SP_FS_RANDOM_WRITE, 0}; }
  Outcome<sp_attrs> stat(const sp_op&, std::string_view path, std::uint32_t) {
    if (path == "/") return attrs_of(0, SP_TYPE_DIR);
    const auto found = files_.find(path);
    if (found == files_.end()) return Failure{SP_E_NOT_FOUND, "no such file", 2};
    return attrs_of(found->second.size(), SP_TYPE_FILE);
  }
  Outcome<std::unique_ptr<BoxFile>> open(const sp_op&, std::string_view path, const sp_open_args&) {
    return std::make_unique<BoxFile>(files_[std::string(path)]);
  }
  Outcome<std::unique_ptr<BoxDir>> open_dir(const sp_op&, std::string_view) { return std::make_unique<BoxDir>(files_); }
  Outcome<void> remove(const sp_op&, std::string_view path, std::uint32_t) {
    files_.erase(std::string(path));
    return {};
  }
  Outcome<std::string> real_path(std::string_view path) { return "box:" + std::string(path); }

 private:
  Files files_;
};

class BoxStorage : public sallyport::Storage<BoxStorage> {
 public:
  static constexpr const char* kType = "box";
  static constexpr const char* kSummary = "files in memory";
  static constexpr const char* kConfigSchema = R"({"type": "object"})";
  static Outcome<std::unique_ptr<BoxStorage>> create(const sp_host&, std::string_view config) {
    if (config.empty()) return Failure{SP_E_INVALID, "no settings", 0};
    return std::make_unique<BoxStorage>();
  }
  BoxStorage() { ++g_alive; }
  ~BoxStorage() { --g_alive; }
  Outcome<std::unique_ptr<BoxFs>> mount(const sp_op&, const sp_mount_args&) { return std::make_unique<BoxFs>(); }
};

class StorageSugar : public testing::Test {
 protected:
  void SetUp() override {
    void* out = nullptr;
    ASSERT_EQ(SP_OK, factory.create(&host, sallyport::str("{}"), &out, &error));
    storage = static_cast<sp_storage*>(out);
    sp_mount_args args{};
    args.struct_size = sizeof args;
    ASSERT_EQ(SP_OK, storage->ops->mount(storage, &op, &args, &fs, &error));
    const sp_open_args how{sizeof(sp_open_args), SP_OPEN_WRITE | SP_OPEN_CREATE, nullptr, 0};
    ASSERT_EQ(SP_OK, fs->ops->open(fs, &op, sallyport::str("/f"), &how, &file, &error));
  }
  void TearDown() override {
    EXPECT_EQ(SP_OK, file->ops->close(file, &op, SP_CLOSE_COMMIT, &error));
    fs->ops->unmount(fs);
    storage->ops->destroy(storage);
    EXPECT_EQ(0, g_alive);
  }

  const sp_factory& factory = sallyport::kStorageFactory<BoxStorage>;
  sp_host host{};
  sp_op op{sizeof(sp_op), 0, 0, 0, 0};
  sp_error error{sizeof(sp_error), 0, 0, 0, {}};
  sp_storage* storage = nullptr;
  sp_fs* fs = nullptr;
  sp_file* file = nullptr;
};

TEST_F(StorageSugar, WhatTheClassLacksIsANullSlot) {
  EXPECT_EQ(nullptr, fs->ops->set_attrs);
  EXPECT_EQ(nullptr, fs->ops->mkdir);
  EXPECT_EQ(nullptr, fs->ops->rename);
  EXPECT_EQ(nullptr, fs->ops->symlink);
  EXPECT_EQ(nullptr, fs->ops->read_link);
  EXPECT_NE(nullptr, fs->ops->remove);
  EXPECT_EQ(nullptr, file->ops->set_attrs);
  EXPECT_EQ(nullptr, file->ops->sync);
  EXPECT_NE(nullptr, file->ops->write_at);
  EXPECT_EQ(nullptr, fs->ops->extension(fs, SP_EXT_STATVFS));
  EXPECT_EQ(nullptr, fs->ops->extension(fs, SP_EXT_COPY_RANGE));
  EXPECT_EQ(nullptr, file->ops->extension(file, SP_EXT_COPY_RANGE));
  EXPECT_NE(nullptr, fs->ops->extension(fs, SP_EXT_REAL_PATH));
}

TEST_F(StorageSugar, DataGoesThrough) {
  EXPECT_EQ(SP_OK, file->ops->write_at(file, &op, "hello", 5, 0, &error));
  char data[16];
  std::size_t got = 0;
  EXPECT_EQ(SP_OK, file->ops->read_at(file, &op, data, sizeof data, 1, &got, &error));
  EXPECT_EQ("ello", std::string(data, got));
  sp_attrs attrs{};
  attrs.struct_size = sizeof attrs;
  EXPECT_EQ(SP_OK, fs->ops->stat(fs, &op, sallyport::str("/f"), 0, &attrs, &error));
  EXPECT_EQ(5u, attrs.size);
}

TEST_F(StorageSugar, FailuresAndExceptionsBecomeStatuses) {
  sp_attrs attrs{};
  attrs.struct_size = sizeof attrs;
  EXPECT_EQ(SP_E_NOT_FOUND, fs->ops->stat(fs, &op, sallyport::str("/none"), 0, &attrs, &error));
  EXPECT_EQ(2, error.native_code);
  EXPECT_STREQ("no such file", error.message);
  EXPECT_EQ(SP_E_INTERNAL, file->ops->write_at(file, &op, "x", 1, 5000, &error));
  EXPECT_STREQ("too far", error.message);
  void* out = nullptr;
  EXPECT_EQ(SP_E_INVALID, factory.create(&host, {}, &out, &error));
}

TEST_F(StorageSugar, WritesOnlyAsFarAsTheCallersStructReaches) {
  sp_attrs attrs{};
  attrs.size = 77;
  attrs.struct_size = offsetof(sp_attrs, perms);
  EXPECT_EQ(SP_OK, fs->ops->stat(fs, &op, sallyport::str("/"), 0, &attrs, &error));
  EXPECT_EQ(SP_TYPE_DIR, attrs.type);
  EXPECT_EQ(77u, attrs.size);
  EXPECT_EQ(offsetof(sp_attrs, perms), attrs.struct_size);
}

TEST_F(StorageSugar, EntriesWithoutRoomComeAgain) {
  sp_dir* dir = nullptr;
  ASSERT_EQ(SP_OK, fs->ops->open_dir(fs, &op, sallyport::str("/"), &dir, &error));
  const sp_entry_sink full{nullptr, [](void*, const sp_entry*) noexcept -> sp_status { return SP_E_FULL; }};
  std::string name;
  const sp_entry_sink take{&name, [](void* ctx, const sp_entry* entry) noexcept -> sp_status {
                             *static_cast<std::string*>(ctx) = sallyport::view(entry->name);
                             return SP_OK;
                           }};
  std::uint32_t at_end = 7;
  EXPECT_EQ(SP_OK, dir->ops->next(dir, &op, 10, &full, &at_end, &error));
  EXPECT_EQ(0u, at_end);
  EXPECT_EQ(SP_OK, dir->ops->next(dir, &op, 10, &take, &at_end, &error));
  EXPECT_EQ(1u, at_end);
  EXPECT_EQ("/f", name);
  dir->ops->close(dir);
}

}  // namespace
