// SPDX-License-Identifier: Apache-2.0
//
// C++ sugar over storage.h: write four classes, get the C tables. Header-only, C++20.
//
//   class MyFile : public sallyport::File<MyFile>        read_at, write_at, stat [, set_attrs, sync, close, copy_range]
//   class MyDir : public sallyport::Dir<MyDir>           next
//   class MyFs : public sallyport::Fs<MyFs>              caps, stat, open, open_dir [, set_attrs, mkdir, remove,
//   rename,
//                                                        symlink, read_link, statvfs, hard_link, real_path,
//                                                        open_tree, local_root, user_name, group_name, extension]
//   class MyStorage : public sallyport::Storage<MyStorage>   create (see plugin.hpp), mount
//
// Methods return Outcome<...>; their exact shapes are the calls below. A method in brackets that is missing becomes a
// NULL slot, which the host answers with "unsupported". Exceptions become statuses. A destructor is the release:
// unmount, close and destroy delete the object. Out of successful calls nothing is allocated here.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "../ext/storage_ext.h"
#include "../storage.h"
#include "plugin.hpp"

namespace sallyport {

// Where a directory's entries go. SP_E_FULL: keep the entry, return "not at the end", offer it first next time.
class EntrySink {
 public:
  explicit EntrySink(const sp_entry_sink* sink) : sink_(sink) {}
  sp_status add(std::string_view name, const sp_attrs& attrs) const {
    const sp_entry entry{sizeof(sp_entry), 0, str(name), &attrs};
    return sink_->add(sink_->ctx, &entry);
  }

 private:
  const sp_entry_sink* sink_;
};

namespace detail {

// The C struct that opens an object of class T, with T's table. Not copyable: its address is its identity.
template <class Object, class T, class Thunks>
class Base : public Object {
 public:
  Base(const Base&) = delete;
  Base& operator=(const Base&) = delete;

 protected:
  Base() : Object{&Thunks::kOps} {}
  ~Base() = default;
};

template <class T>
struct FileThunks {
  static T& self(sp_file* file) { return *static_cast<T*>(file); }
  static sp_status SP_CALL read_at(sp_file* file, const sp_op* op, void* buf, size_t len, uint64_t offset, size_t* got,
                                   sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> {
      return hand_over<std::size_t>(self(file).read_at(*op, std::span(static_cast<std::byte*>(buf), len), offset),
                                    [&](std::size_t n) { *got = n; });
    });
  }
  static sp_status SP_CALL write_at(sp_file* file, const sp_op* op, const void* buf, size_t len, uint64_t offset,
                                    sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> {
      return self(file).write_at(*op, std::span(static_cast<const std::byte*>(buf), len), offset);
    });
  }
  static sp_status SP_CALL stat(sp_file* file, const sp_op* op, sp_attrs* out, sp_error* error) noexcept {
    return guard(error, [&] {
      return hand_over<sp_attrs>(self(file).stat(*op), [&](const sp_attrs& attrs) { fill(out, attrs); });
    });
  }
  static sp_status SP_CALL set_attrs(sp_file* file, const sp_op* op, const sp_attrs* attrs, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(file).set_attrs(*op, complete(attrs)); });
  }
  static sp_status SP_CALL sync(sp_file* file, const sp_op* op, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(file).sync(*op); });
  }
  static sp_status SP_CALL close(sp_file* file, const sp_op* op, uint32_t how, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> {
      const std::unique_ptr<T> last(&self(file));
      if constexpr (requires { last->close(*op, true); }) return last->close(*op, how == SP_CLOSE_COMMIT);
      return {};
    });
  }
  static sp_status SP_CALL copy_range(sp_file* from, const sp_op* op, uint64_t from_offset, uint64_t len, sp_file* to,
                                      uint64_t to_offset, uint64_t* copied, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> {
      if (from->ops != to->ops) return Failure{SP_E_CROSS_DEVICE, "the files are of different storages", 0};
      return hand_over<std::uint64_t>(self(from).copy_range(*op, from_offset, len, self(to), to_offset),
                                      [&](std::uint64_t n) { *copied = n; });
    });
  }
  static const void* SP_CALL extension(sp_file*, const char* id) noexcept {
    if constexpr (requires { &T::copy_range; }) {
      static constexpr sp_ext_copy_range kCopyRange{&copy_range};
      if (std::string_view(id) == SP_EXT_COPY_RANGE) return &kCopyRange;
    }
    return nullptr;
  }
  static constexpr sp_file_ops make_ops() {
    sp_file_ops ops{sizeof(sp_file_ops), 0, &read_at, nullptr, &stat, nullptr, nullptr, &close, &extension};
    if constexpr (requires { &T::write_at; }) ops.write_at = &write_at;
    if constexpr (requires { &T::set_attrs; }) ops.set_attrs = &set_attrs;
    if constexpr (requires { &T::sync; }) ops.sync = &sync;
    return ops;
  }
  static constexpr sp_file_ops kOps = make_ops();
};

template <class T>
struct DirThunks {
  // T::next(op, max, sink) answers true when no entry is left.
  static sp_status SP_CALL next(sp_dir* dir, const sp_op* op, uint32_t max, const sp_entry_sink* sink, uint32_t* at_end,
                                sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> {
      return hand_over<bool>(static_cast<T*>(dir)->next(*op, max, EntrySink(sink)),
                             [&](bool end) { *at_end = end ? 1 : 0; });
    });
  }
  static void SP_CALL close(sp_dir* dir) noexcept { delete static_cast<T*>(dir); }
  static constexpr sp_dir_ops kOps{sizeof(sp_dir_ops), 0, &next, &close};
};

// The class behind an outcome, for decltype only.
template <class T>
T class_in(Outcome<std::unique_ptr<T>>);

template <class T>
struct FsThunks {
  static T& self(sp_fs* fs) { return *static_cast<T*>(fs); }
  static void SP_CALL unmount(sp_fs* fs) noexcept { delete &self(fs); }
  static void SP_CALL caps(sp_fs* fs, sp_fs_caps* out) noexcept { fill(out, self(fs).caps()); }
  static sp_status SP_CALL stat(sp_fs* fs, const sp_op* op, sp_str path, uint32_t flags, sp_attrs* out,
                                sp_error* error) noexcept {
    return guard(error, [&] {
      return hand_over<sp_attrs>(self(fs).stat(*op, view(path), flags),
                                 [&](const sp_attrs& attrs) { fill(out, attrs); });
    });
  }
  static sp_status SP_CALL set_attrs(sp_fs* fs, const sp_op* op, sp_str path, uint32_t flags, const sp_attrs* attrs,
                                     sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(fs).set_attrs(*op, view(path), flags, complete(attrs)); });
  }
  static sp_status SP_CALL open(sp_fs* fs, const sp_op* op, sp_str path, const sp_open_args* args, sp_file** out,
                                sp_error* error) noexcept {
    return guard(error, [&] {
      return hand_over(self(fs).open(*op, view(path), complete(args)), [&](auto& file) { *out = file.release(); });
    });
  }
  static sp_status SP_CALL open_dir(sp_fs* fs, const sp_op* op, sp_str path, sp_dir** out, sp_error* error) noexcept {
    return guard(
        error, [&] { return hand_over(self(fs).open_dir(*op, view(path)), [&](auto& dir) { *out = dir.release(); }); });
  }
  static sp_status SP_CALL open_tree(sp_fs* fs, const sp_op* op, sp_str path, sp_dir** out, sp_error* error) noexcept {
    return guard(error, [&] {
      return hand_over(self(fs).open_tree(*op, view(path)), [&](auto& dir) { *out = dir.release(); });
    });
  }
  // T::mkdir takes the attributes as a pointer, NULL when the client gave none.
  static sp_status SP_CALL mkdir(sp_fs* fs, const sp_op* op, sp_str path, const sp_attrs* attrs,
                                 sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(fs).mkdir(*op, view(path), attrs); });
  }
  static sp_status SP_CALL remove(sp_fs* fs, const sp_op* op, sp_str path, uint32_t kind, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(fs).remove(*op, view(path), kind); });
  }
  static sp_status SP_CALL rename(sp_fs* fs, const sp_op* op, sp_str from, sp_str to, uint32_t flags,
                                  sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(fs).rename(*op, view(from), view(to), flags); });
  }
  static sp_status SP_CALL symlink(sp_fs* fs, const sp_op* op, sp_str target, sp_str link, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(fs).symlink(*op, view(target), view(link)); });
  }
  static sp_status SP_CALL hard_link(sp_fs* fs, const sp_op* op, sp_str from, sp_str to, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(fs).hard_link(*op, view(from), view(to)); });
  }
  static sp_status SP_CALL statvfs(sp_fs* fs, const sp_op* op, sp_str path, sp_statvfs* out, sp_error* error) noexcept {
    return guard(error, [&] {
      return hand_over<sp_statvfs>(self(fs).statvfs(*op, view(path)),
                                   [&](const sp_statvfs& space) { fill(out, space); });
    });
  }
  // The rest answer with a text.
  static sp_status text(sp_error* error, const sp_sink* sink, auto&& ask) noexcept {
    return guard(error, [&]() -> Outcome<void> {
      Outcome<std::string> answer = ask();
      return answer ? deliver(sink, *answer) : Outcome<void>(std::move(answer.failure()));
    });
  }
  static sp_status SP_CALL read_link(sp_fs* fs, const sp_op* op, sp_str path, const sp_sink* sink,
                                     sp_error* error) noexcept {
    return text(error, sink, [&] { return self(fs).read_link(*op, view(path)); });
  }
  static sp_status SP_CALL real_path(sp_fs* fs, sp_str path, const sp_sink* sink, sp_error* error) noexcept {
    return text(error, sink, [&] { return self(fs).real_path(view(path)); });
  }
  static sp_status SP_CALL local_root(sp_fs* fs, const sp_sink* sink, sp_error* error) noexcept {
    return text(error, sink, [&] { return self(fs).local_root(); });
  }
  static sp_status SP_CALL user_name(sp_fs* fs, uint32_t uid, const sp_sink* sink, sp_error* error) noexcept {
    return text(error, sink, [&] { return self(fs).user_name(uid); });
  }
  static sp_status SP_CALL group_name(sp_fs* fs, uint32_t gid, const sp_sink* sink, sp_error* error) noexcept {
    return text(error, sink, [&] { return self(fs).group_name(gid); });
  }
  static const void* SP_CALL extension(sp_fs* fs, const char* id_text) noexcept {
    const std::string_view id(id_text);
    if constexpr (requires { &T::statvfs; }) {
      static constexpr sp_ext_statvfs kStatVfs{&statvfs};
      if (id == SP_EXT_STATVFS) return &kStatVfs;
    }
    if constexpr (requires { &T::hard_link; }) {
      static constexpr sp_ext_hard_link kHardLink{&hard_link};
      if (id == SP_EXT_HARD_LINK) return &kHardLink;
    }
    if constexpr (requires { &T::open_tree; }) {
      static constexpr sp_ext_tree kTree{&open_tree};
      if (id == SP_EXT_TREE) return &kTree;
    }
    if constexpr (requires { &T::real_path; }) {
      static constexpr sp_ext_real_path kRealPath{&real_path};
      if (id == SP_EXT_REAL_PATH) return &kRealPath;
    }
    if constexpr (requires { &T::local_root; }) {
      static constexpr sp_ext_local_root kLocalRoot{&local_root};
      if (id == SP_EXT_LOCAL_ROOT) return &kLocalRoot;
    }
    if constexpr (requires {
                    &T::user_name;
                    &T::group_name;
                  }) {
      static constexpr sp_ext_owner_names kOwnerNames{&user_name, &group_name};
      if (id == SP_EXT_OWNER_NAMES) return &kOwnerNames;
    }
    // What copies ranges is a file; the mount answers to the same id so that the host knows before any file is open.
    using FileClass = decltype(class_in(self(fs).open(std::declval<const sp_op&>(), {}, std::declval<sp_open_args>())));
    if constexpr (requires { &FileClass::copy_range; }) {
      if (id == SP_EXT_COPY_RANGE) return FileThunks<FileClass>::extension(nullptr, id_text);
    }
    if constexpr (requires { &T::extension; }) return self(fs).extension(id);
    return nullptr;
  }
  static constexpr sp_fs_ops make_ops() {
    sp_fs_ops ops{};
    ops.struct_size = sizeof(sp_fs_ops);
    ops.unmount = &unmount;
    ops.caps = &caps;
    ops.stat = &stat;
    ops.open = &open;
    ops.open_dir = &open_dir;
    ops.extension = &extension;
    if constexpr (requires { &T::set_attrs; }) ops.set_attrs = &set_attrs;
    if constexpr (requires { &T::mkdir; }) ops.mkdir = &mkdir;
    if constexpr (requires { &T::remove; }) ops.remove = &remove;
    if constexpr (requires { &T::rename; }) ops.rename = &rename;
    if constexpr (requires { &T::symlink; }) ops.symlink = &symlink;
    if constexpr (requires { &T::read_link; }) ops.read_link = &read_link;
    return ops;
  }
  static constexpr sp_fs_ops kOps = make_ops();
};

template <class T>
struct StorageThunks {
  static void SP_CALL destroy(sp_storage* storage) noexcept { delete static_cast<T*>(storage); }
  static sp_status SP_CALL mount(sp_storage* storage, const sp_op* op, const sp_mount_args* args, sp_fs** out,
                                 sp_error* error) noexcept {
    return guard(error, [&] {
      return hand_over(static_cast<T*>(storage)->mount(*op, complete(args)), [&](auto& fs) { *out = fs.release(); });
    });
  }
  static const void* SP_CALL extension(sp_storage*, const char*) noexcept { return nullptr; }
  static constexpr sp_storage_ops kOps{sizeof(sp_storage_ops), 0, &destroy, &mount, &extension};
};

}  // namespace detail

template <class T>
using File = detail::Base<sp_file, T, detail::FileThunks<T>>;
template <class T>
using Dir = detail::Base<sp_dir, T, detail::DirThunks<T>>;
template <class T>
using Fs = detail::Base<sp_fs, T, detail::FsThunks<T>>;
template <class T>
using Storage = detail::Base<sp_storage, T, detail::StorageThunks<T>>;

template <class T>
inline constexpr sp_factory kStorageFactory = make_factory<T, sp_storage>(SP_KIND_STORAGE, SP_STORAGE_ABI);

}  // namespace sallyport
