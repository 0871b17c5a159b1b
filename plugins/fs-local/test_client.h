// SPDX-License-Identifier: Apache-2.0
//
// For unit tests: one mount, driven through the C tables as the host would. Every call leaves its text in `error`.
#pragma once

#include <gtest/gtest.h>
#include <sallyport/abi.h>

#include <cstdint>
#include <filesystem>
#include <sallyport/cpp/base.hpp>
#include <string>
#include <string_view>

namespace fs_local::test {

namespace disk = std::filesystem;

inline const sp_host& test_host() {
  static const sp_host host{sizeof(sp_host),
                            SP_ABI,
                            nullptr,
                            "test",
                            "0",
                            [](const sp_host*, uint32_t, sp_str, sp_str) noexcept {},
                            [](const sp_host*, uint32_t) noexcept { return 0u; },
                            [](const sp_host*, const sp_op* op) noexcept { return op->request_id == 666 ? 1u : 0u; },
                            [](const sp_host*, const char*) noexcept -> const void* { return nullptr; }};
  return host;
}

class Client {
 public:
  Client(const disk::path& home, bool by_kernel, std::uint32_t uid = 0xffffffff, std::uint32_t gid = 0xffffffff,
         std::uint32_t umask = 022, std::uint32_t flags = 0) {
    const std::string config = by_kernel ? R"({"create_home": true})" : R"({"use_openat2": false})";
    void* made = nullptr;
    EXPECT_EQ(SP_OK, sp_plugin_v1()->factories[0]->create(&test_host(), sallyport::str(config), &made, &error));
    storage = static_cast<sp_storage*>(made);
    const std::string root = home.string();
    sp_mount_args args{};
    args.struct_size = sizeof args;
    args.uid = uid;
    args.gid = gid;
    args.umask = umask;
    args.flags = flags;
    args.root = sallyport::str(root);
    mounted = storage->ops->mount(storage, &op, &args, &fs, &error);
  }
  ~Client() {
    if (fs != nullptr) fs->ops->unmount(fs);
    storage->ops->destroy(storage);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  static sp_str s(std::string_view text) { return sallyport::str(text); }

  sp_status stat(std::string_view path, sp_attrs& out, std::uint32_t flags = 0) {
    out = {};
    out.struct_size = sizeof out;
    return fs->ops->stat(fs, &op, s(path), flags, &out, &error);
  }
  sp_status stat(std::string_view path, std::uint32_t flags = 0) {
    sp_attrs attrs;
    return stat(path, attrs, flags);
  }
  sp_status set(std::string_view path, sp_attrs attrs, std::uint32_t flags = 0) {
    attrs.struct_size = sizeof attrs;
    return fs->ops->set_attrs(fs, &op, s(path), flags, &attrs, &error);
  }
  sp_status open(std::string_view path, std::uint32_t flags, sp_file*& file, const sp_attrs* attrs = nullptr) {
    file = nullptr;
    const sp_open_args args{sizeof(sp_open_args), flags, attrs, 0};
    return fs->ops->open(fs, &op, s(path), &args, &file, &error);
  }
  // Open and close.
  sp_status touch(std::string_view path, std::uint32_t flags) {
    sp_file* file = nullptr;
    const sp_status status = open(path, flags, file);
    return status == SP_OK ? close(file) : status;
  }
  sp_status close(sp_file* file) { return file->ops->close(file, &op, SP_CLOSE_COMMIT, &error); }
  sp_status write(sp_file* file, std::string_view data, std::uint64_t offset) {
    return file->ops->write_at(file, &op, data.data(), data.size(), offset, &error);
  }
  sp_status read(sp_file* file, std::string& data, std::uint64_t offset, std::size_t length = 4096,
                 std::uint32_t flags = 0) {
    data.assign(length, '\0');
    sp_op how = op;
    how.flags = flags;
    std::size_t got = 0;
    const sp_status status = file->ops->read_at(file, &how, data.data(), length, offset, &got, &error);
    data.resize(got);
    return status;
  }
  sp_status mkdir(std::string_view path, const sp_attrs* attrs = nullptr) {
    return fs->ops->mkdir(fs, &op, s(path), attrs, &error);
  }
  sp_status remove(std::string_view path) { return fs->ops->remove(fs, &op, s(path), SP_REMOVE_FILE, &error); }
  sp_status rmdir(std::string_view path) { return fs->ops->remove(fs, &op, s(path), SP_REMOVE_DIR, &error); }
  sp_status rename(std::string_view from, std::string_view to, std::uint32_t flags = 0) {
    return fs->ops->rename(fs, &op, s(from), s(to), flags, &error);
  }
  sp_status symlink(std::string_view target, std::string_view link) {
    return fs->ops->symlink(fs, &op, s(target), s(link), &error);
  }
  sp_status read_link(std::string_view path, std::string& out) {
    out.clear();
    const sp_sink sink = text_sink(out);
    return fs->ops->read_link(fs, &op, s(path), &sink, &error);
  }
  std::string link_of(std::string_view path) {
    std::string text;
    const sp_status status = read_link(path, text);
    return status == SP_OK ? text : "status " + std::to_string(status);
  }
  template <class Extension>
  const Extension* extension(const char* id) {
    return static_cast<const Extension*>(fs->ops->extension(fs, id));
  }
  sp_status hard_link(std::string_view from, std::string_view to) {
    return extension<sp_ext_hard_link>(SP_EXT_HARD_LINK)->link(fs, &op, s(from), s(to), &error);
  }
  static sp_sink text_sink(std::string& out) {
    return {&out, [](void* ctx, sp_bytes part) noexcept -> sp_status {
              static_cast<std::string*>(ctx)->append(static_cast<const char*>(part.ptr), part.len);
              return SP_OK;
            }};
  }

  sp_op op{sizeof(sp_op), 0, 1, 1, 0};
  sp_error error{sizeof(sp_error), 0, 0, 0, {}};
  sp_storage* storage = nullptr;
  sp_fs* fs = nullptr;
  sp_status mounted = SP_E_INTERNAL;
};

}  // namespace fs_local::test
